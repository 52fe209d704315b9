/**
 * What decorators leave behind: records in the class's metadata. They only record; dispatch reads. Keys are Symbol.for,
 * since an author may carry another copy of the sdk, and lists are own properties, so that a subclass adds to a parent's.
 */
import type { TSchema } from 'typebox';
import type { EndpointOptions } from './endpoint-types.ts';

export interface TaskOptions {
  /** Cron with 5 or 6 fields; false: only when it is asked for. Default: tasks.schedule of config.yaml. */
  readonly schedule?: string | false;
  /** IANA name. Default: tasks.timezone of config.yaml. */
  readonly timezone?: string;
  /** How often a failed run is tried again, at most 100. Default: 0. */
  readonly retryCount?: number;
  /** Seconds that one attempt may take, at most 86,400 (a day). Default: 300. */
  readonly timeout?: number;
  /** Which of the runs that wait goes first. Default: normal. */
  readonly priority?: 'high' | 'normal' | 'low';
  /** What happens when the last run still runs. Default: skip. */
  readonly overlap?: 'skip' | 'queue' | 'parallel';
  /** What happens to a run that was missed while the host was down. Default: skip. */
  readonly missed?: 'run-once' | 'skip';
}

export interface MethodOptions {
  /** Of what the method is given: the host refuses a call that does not fit it with INVALID_INPUT. */
  readonly params?: TSchema;
  /** Of what it returns: something else reaches nobody. */
  readonly result?: TSchema;
  /** Seconds that it may take. Default: `runtime.timeout` of config.yaml. */
  readonly timeout?: number;
}

export interface PageOptions {
  readonly title?: string;
}

export type MethodRecord =
  | { readonly kind: 'endpoint'; readonly name: string; readonly route: string; readonly options: EndpointOptions }
  | { readonly kind: 'task'; readonly name: string; readonly options: TaskOptions }
  | { readonly kind: 'event'; readonly name: string; readonly pattern: string }
  | { readonly kind: 'method'; readonly name: string; readonly options: MethodOptions }
  | { readonly kind: 'page'; readonly name: string; readonly path: string; readonly options: PageOptions };

const RECORDS: unique symbol = Symbol.for('plexichat.records');
const METADATA: symbol = Symbol.metadata ?? Symbol.for('Symbol.metadata');

/** @throws TypeError when the decorator sits where it cannot work */
export function record(
  decorator: string,
  context: ClassMethodDecoratorContext,
  make: (name: string) => MethodRecord,
): void {
  const name = String(context.name);
  if (context.kind !== 'method')
    throw new TypeError(`@${decorator} belongs on a method, but ${name} is a ${context.kind}.`);
  if (context.static || context.private || typeof context.name !== 'string') {
    const what = context.static ? 'static' : context.private ? 'private' : 'named by a symbol';
    throw new TypeError(`@${decorator} on ${name}: the method is ${what}; make it a plain public method.`);
  }
  const metadata = context.metadata as { [RECORDS]?: MethodRecord[] } | undefined;
  if (metadata === undefined) {
    throw new TypeError(
      `@${decorator} on ${name}: this build of the decorators keeps no metadata. Use plexi, or @plexichat/sdk/testing/vitest in tests.`,
    );
  }
  const own = Object.hasOwn(metadata, RECORDS) ? metadata[RECORDS] : undefined;
  const records: MethodRecord[] = own ?? [];
  if (own === undefined) Object.defineProperty(metadata, RECORDS, { value: records });
  records.push(make(name));
}

/** All records of a class: its own, and those of its parents for methods that it does not decorate again. */
export function readRecords(moduleClass: object): MethodRecord[] {
  const found: MethodRecord[] = [];
  const taken = new Set<string>();
  let metadata: object | null | undefined = Reflect.get(moduleClass, METADATA) as object | null | undefined;
  while (metadata !== null && metadata !== undefined) {
    const own: unknown = Object.hasOwn(metadata, RECORDS) ? Reflect.get(metadata, RECORDS) : undefined;
    const level = (Array.isArray(own) ? (own as MethodRecord[]) : []).filter(
      (each) => !taken.has(`${each.kind} ${each.name}`),
    );
    for (const each of level) taken.add(`${each.kind} ${each.name}`);
    found.unshift(...level);
    metadata = Object.getPrototypeOf(metadata);
  }
  return found;
}
