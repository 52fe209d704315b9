/** What operators send to the task routes: names in the path, query, small JSON bodies. All of it is checked here. */
import { TaskDeclarationSchema } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, compileValue, type InputRules, validateInput } from '../policy/validate.ts';

export const MAX_RUNS = 200;
const DEFAULT_RUNS = 20;
const MAX_REASON = 300;

export interface TaskName {
  readonly module: string;
  readonly task: string;
}

const MODULE_NAME = new RegExp(MODULE_NAME_PATTERN);
const TASK_NAME = Compile(TaskDeclarationSchema.properties.name);

export function isTaskName({ module, task }: TaskName): boolean {
  return MODULE_NAME.test(module) && TASK_NAME.Check(task);
}

/** Boundary: only what could be a name goes on to the desk. @throws PlexiError NOT_FOUND */
export function readTaskName(module = '', task = ''): TaskName {
  if (isTaskName({ module, task })) return { module, task };
  throw new PlexiError(
    'NOT_FOUND',
    `There is no task ${shown(task)} of a module ${shown(module)}; GET /api/v1/tasks lists those there are.`,
  );
}

function shown(name: string): string {
  return JSON.stringify(name.length > 70 ? `${name.slice(0, 70)}…` : name);
}

const CLOSED = { additionalProperties: false };
const NOTHING = compileRecord(readSchema(Type.Object({}, CLOSED)));

const LIST_QUERY: InputRules = {
  query: compileRecord(
    readSchema(Type.Object({ module: Type.Optional(Type.String({ pattern: MODULE_NAME_PATTERN })) }, CLOSED)),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readListQuery(url: string): { readonly module: string | undefined } {
  const { module } = validateInput(LIST_QUERY, {}, queryOf(url), undefined).query;
  return { module: typeof module === 'string' ? module : undefined };
}

const RUNS_QUERY: InputRules = {
  query: compileRecord(
    readSchema(Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_RUNS })) }, CLOSED)),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readRunsQuery(url: string): { readonly limit: number } {
  const { limit } = validateInput(RUNS_QUERY, {}, queryOf(url), undefined).query;
  return { limit: typeof limit === 'number' ? limit : DEFAULT_RUNS };
}

/** @throws PlexiError INVALID_INPUT */
export function refuseQuery(url: string): void {
  validateInput({ query: NOTHING }, {}, queryOf(url), undefined);
}

const PAUSE_BODY: InputRules = {
  // No control characters: a reason is one line, in logs and tables too.
  body: compileValue(
    readSchema(
      Type.Object(
        { reason: Type.Optional(Type.String({ maxLength: MAX_REASON, pattern: '^[^\\x00-\\x1f\\x7f]*$' })) },
        CLOSED,
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readPauseBody(body: unknown): { readonly reason: string } {
  if (body === undefined) return { reason: '' };
  validateInput(PAUSE_BODY, {}, {}, body);
  const { reason = '' } = body as { reason?: string };
  // Half a surrogate pair is no text that a database takes.
  return { reason: reason.toWellFormed().trim() };
}

const NO_KEYS: InputRules = { body: compileValue(readSchema(Type.Object({}, CLOSED))) };

/** @throws PlexiError INVALID_INPUT */
export function refuseBody(body: unknown): void {
  if (body !== undefined) validateInput(NO_KEYS, {}, {}, body);
}

function queryOf(url: string) {
  return parseQuery(new URL(url).search.slice(1));
}
