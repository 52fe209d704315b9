/** What a module declares, from its decorators and its router, with the function behind each endpoint, task and event. */
import type {
  Declaration,
  EndpointDeclaration,
  EventDeclaration,
  Method,
  MethodDeclaration,
  PageDeclaration,
  TaskDeclaration,
} from '../protocol/declaration.ts';
import { isEventPattern } from '../protocol/event-names.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { type BaseModule, CHANGE_SETTINGS, ROUTES } from './base-module.ts';
import { declareMethod } from './declare-method.ts';
import { declareTask } from './declare-task.ts';
import { describeValue } from './describe-value.ts';
import type { EndpointOptions } from './endpoint-types.ts';
import type { EventHandler } from './event-context.ts';
import type { MethodContext } from './method-context.ts';
import { type MethodRecord, readRecords } from './records.ts';
import type { AnyHandler, RouterRecord } from './router.ts';
import type { TaskContext } from './task-context.ts';

export interface DeclaredEndpoint {
  readonly run: AnyHandler;
  /** `WeatherModule.getWeather`, for messages. */
  readonly name: string;
}

export interface DeclaredTask {
  readonly run: (context: TaskContext) => unknown;
  /** `WeatherModule.refresh`, for messages. */
  readonly name: string;
}

export interface DeclaredEvent {
  readonly run: EventHandler;
  /** `Greeter.onLogin`, for messages. */
  readonly name: string;
}

export interface DeclaredMethod {
  readonly run: (args: unknown, context: MethodContext) => unknown;
  /** `Glossary.lookup`, for messages. */
  readonly name: string;
}

export interface Declared {
  readonly declaration: Declaration;
  readonly endpoints: ReadonlyMap<string, DeclaredEndpoint>;
  readonly tasks: ReadonlyMap<string, DeclaredTask>;
  /** By method. */
  readonly events: ReadonlyMap<string, DeclaredEvent>;
  readonly methods: ReadonlyMap<string, DeclaredMethod>;
}

const ROUTE = /^(GET|POST|PUT|PATCH|DELETE) (\/[A-Za-z0-9\-._~!$&()+,;=@/:*]*)$/;
const OPTION_KEYS: Readonly<Record<keyof EndpointOptions, true>> = {
  permissions: true,
  rateLimit: true,
  userTiers: true,
  cacheTtl: true,
  validateInput: true,
  params: true,
  query: true,
  body: true,
  response: true,
  timeout: true,
  summary: true,
};
const SCHEMA_KEYS = ['params', 'query', 'body', 'response'] as const;

/** @throws TypeError that names class, method and what to do */
export function declare(instance: BaseModule, className: string, manifest: Manifest): Declared {
  const endpoints = new Map<string, DeclaredEndpoint>();
  const declared: EndpointDeclaration[] = [];
  const tasks = new Map<string, TaskDeclaration>();
  const runs = new Map<string, DeclaredTask>();
  const events = new Map<string, EventDeclaration>();
  const listeners = new Map<string, DeclaredEvent>();
  const pages = new Map<string, PageDeclaration>();
  const offered = new Map<string, MethodDeclaration>();
  const methods = new Map<string, DeclaredMethod>();

  const addEndpoint = (route: string, options: EndpointOptions, run: AnyHandler, name: string): void => {
    const endpoint = toEndpoint(route, options, name);
    const first = endpoints.get(endpoint.handler);
    if (first !== undefined) {
      throw new TypeError(`${name} and ${first.name} both serve "${endpoint.handler}"; give one of them another path.`);
    }
    endpoints.set(endpoint.handler, { run, name });
    declared.push(endpoint);
  };

  for (const record of readRecords(instance.constructor)) {
    const name = `${className}.${record.name}`;
    const method = methodOf(instance, record, name);
    if (record.kind === 'endpoint') {
      addEndpoint(record.route, record.options, (context) => Reflect.apply(method, instance, [context]), name);
    } else if (record.kind === 'task') {
      const task = declareTask(record.name, record.options, manifest, name);
      addOnce(tasks, record.name, task, `${name} is marked @moduleTask twice.`);
      runs.set(record.name, { run: (context) => Reflect.apply(method, instance, [context]), name });
    } else if (record.kind === 'event') {
      checkPattern(record.pattern, name);
      const event = { handler: record.name, pattern: record.pattern };
      addOnce(events, `${record.name} ${record.pattern}`, event, `${name} listens to "${record.pattern}" twice.`);
      listeners.set(record.name, { run: (...given) => Reflect.apply(method, instance, given), name });
    } else if (record.kind === 'method') {
      const declaration = declareMethod(record.name, record.options, name);
      addOnce(offered, record.name, declaration, `${name} is marked @moduleMethod twice.`);
      methods.set(record.name, { run: (...given) => Reflect.apply(method, instance, given), name });
    } else {
      const { path, options } = record;
      const page = { handler: record.name, path, ...(options.title === undefined ? {} : { title: options.title }) };
      const first = pages.get(path)?.handler;
      addOnce(pages, path, page, `${name} and ${className}.${first} both serve the page "${path}".`);
    }
  }
  for (const { route, options, handler } of routesOf(instance)) {
    addEndpoint(route, options, handler, `${className}.router ${route}`);
  }
  return {
    declaration: {
      endpoints: declared,
      tasks: [...tasks.values()],
      events: [...events.values()],
      pages: [...pages.values()],
      ...(offered.size === 0 ? {} : { methods: [...offered.values()] }),
      ...(takesSettings(instance) ? { settingsHook: true } : {}),
    },
    endpoints,
    tasks: runs,
    events: listeners,
    methods,
  };
}

/** An author's own copy of the sdk may be older than the hook. */
function takesSettings(instance: BaseModule): boolean {
  return typeof instance.onSettingsChanged === 'function' && typeof instance[CHANGE_SETTINGS] === 'function';
}

function toEndpoint(route: string, options: EndpointOptions, name: string): EndpointDeclaration {
  const match = ROUTE.exec(route);
  if (match === null) {
    throw new TypeError(
      `${name}: ${JSON.stringify(route)} is no route. Write "METHOD /path" with GET, POST, PUT, PATCH or DELETE, as in "GET /notes/:id".`,
    );
  }
  const [, method, path = ''] = match;
  checkPath(path, name);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(OPTION_KEYS, key)) {
      throw new TypeError(
        `${name}: the option "${key}" does not exist; allowed are ${Object.keys(OPTION_KEYS).join(', ')}.`,
      );
    }
  }
  const { permissions = [], userTiers, rateLimit, cacheTtl, validateInput = true, timeout, summary } = options;
  const schemas: EndpointDeclaration['schemas'] = {};
  for (const key of SCHEMA_KEYS) {
    // A schema crosses as JSON: what typebox keeps beside it stays here.
    if (options[key] !== undefined) schemas[key] = JSON.parse(JSON.stringify(options[key]));
  }
  return {
    handler: route,
    method: method as Method,
    path,
    permissions: [...permissions],
    ...(userTiers === undefined ? {} : { userTiers: [...userTiers] }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(cacheTtl === undefined ? {} : { cacheTtl }),
    validateInput,
    ...(timeout === undefined ? {} : { timeout }),
    ...(summary === undefined ? {} : { summary }),
    schemas,
  };
}

function checkPath(path: string, name: string): void {
  const segments = path.slice(1).split('/');
  const seen = new Set<string>();
  segments.forEach((segment, index) => {
    if (segment.includes('*') && (segment !== '*' || index < segments.length - 1)) {
      throw new TypeError(`${name}: "*" must be the whole last part of the path, found "${path}".`);
    }
    if (!segment.includes(':')) return;
    if (!/^:[A-Za-z_]\w*$/.test(segment)) {
      throw new TypeError(
        `${name}: "${segment}" in "${path}" is no parameter; a parameter is a whole part, as in "/:id".`,
      );
    }
    if (seen.has(segment)) throw new TypeError(`${name}: the parameter "${segment}" comes twice in "${path}".`);
    seen.add(segment);
  });
}

function checkPattern(pattern: unknown, name: string): void {
  if (isEventPattern(pattern)) return;
  throw new TypeError(
    `${name}: @moduleEvent takes a name such as "user.login", or a pattern such as "message.*" where * stands for one word and is not the first; found ${describeValue(pattern)}.`,
  );
}

function methodOf(instance: object, record: MethodRecord, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(instance, record.name);
  if (typeof method === 'function') return method as (...args: unknown[]) => unknown;
  throw new TypeError(
    `${name} is marked as a handler, but the instance has no such method: a field of that name hides it.`,
  );
}

function routesOf(instance: object): readonly RouterRecord[] {
  const routes: unknown = Reflect.get(instance, ROUTES);
  return Array.isArray(routes) ? routes : [];
}

function addOnce<Value>(target: Map<string, Value>, key: string, value: Value, complaint: string): void {
  if (target.has(key)) throw new TypeError(complaint);
  target.set(key, value);
}
