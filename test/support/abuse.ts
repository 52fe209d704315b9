/** What a module may try in order to take its host, its cell or its neighbours down, and what has to come of it. */

export type AbuseKind = 'loops' | 'memory' | 'floods' | 'answers' | 'life';

export interface Abuse {
  /** A sentence's beginning, such as `a loop that never ends`. */
  readonly name: string;
  readonly kind: AbuseKind;
  /** `module_name` of the hostile module; no two abuses share one. */
  readonly module: string;
  /** Its folder: path → text. Its legitimate endpoint is `GET /api/v1/MODULE/ok`, which answers `{"ok":true}`. */
  readonly files: Readonly<Record<string, string>>;
  /** Host settings that it needs, by dotted key, as flags give them. */
  readonly settings: Readonly<Record<string, string>>;
  /** What makes it misbehave; needs no token. */
  readonly request: AbuseRequest;
  readonly outcome: AbuseOutcome;
}

export interface AbuseRequest {
  /** From the root, as in `/api/v1/MODULE/run`. */
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  /** After which its client has enough and goes away: for answers without end. */
  readonly timeoutMs?: number;
}

export interface AbuseOutcome {
  /**
   * What its client may get: `200`, `STATUS CODE` of a problem, `cut` for an answer that broke off, `left` when the
   * client went away.
   */
  readonly answers: readonly string[];
  /** Whether its thread is ended for it. */
  readonly thread: 'lives' | 'ends' | 'either';
  /** How the reason may begin that an operator reads when the thread was ended. */
  readonly reasons: readonly string[];
  /** Whether its cell may die of it, so that modules in there are restarted. */
  readonly cell: 'lives' | 'may die';
  /** What `GET /ok` gets in the end. */
  readonly next: 'works' | 'refused';
  /** The state that it comes to by itself before it is asked again. */
  readonly rests?: 'sleeping';
  /** What it must have done by then: an abuse that never comes near a limit proves nothing about it. */
  readonly atLeast?: Partial<AbuseUse>;
  /** What must not have come through, however much of it was tried. */
  readonly atMost?: Partial<AbuseUse>;
}

/** What a hostile module used. The first three are the host's own meters, which count what is refused as well. */
export interface AbuseUse {
  readonly calls: number;
  readonly bytes: number;
  readonly lines: number;
  /** Lines in the operator's log under its name, the host's own among them. */
  readonly logged: number;
  /** Its requests that arrived at the sink, and how many of them were open at the same time. */
  readonly requests: number;
  readonly requestsAtOnce: number;
}

/** The origin of abuse-sink.ts in the code of a module: a room puts the real one in its place and grants it. */
export const SINK = 'http://sink.invalid';

export interface AbuseGiven extends Partial<AbuseOutcome> {
  /** The body of `run(context)`, which answers `GET /run`. */
  readonly run?: string;
  /** More of the class. */
  readonly members?: string;
  /** Code before the class. */
  readonly before?: string;
  /** Instead of the whole file. */
  readonly code?: string;
  readonly timeoutS?: number;
  readonly memoryMb?: number;
  /** Further keys of `runtime`, as YAML. */
  readonly runtime?: string;
  /** Further lines of config.yaml. */
  readonly config?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly leaveAfterMs?: number;
}

/** An abuse of a kind, whose outcome is `usual` where nothing else is given. */
export function createAbuse(kind: AbuseKind, usual: AbuseOutcome, name: string, given: AbuseGiven): Abuse {
  const module = `${kind}_${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '')}`.slice(0, 64);
  const { answers, thread, reasons, cell, next, rests, atLeast, atMost } = { ...usual, ...given };
  return {
    name,
    kind,
    module,
    files: { [`${module}/config.yaml`]: configOf(module, given), [`${module}/module.js`]: codeOf(given) },
    settings: given.settings ?? {},
    request: {
      path: `/api/v1/${module}${given.path ?? '/run'}`,
      ...(given.method === undefined ? {} : { method: given.method }),
      ...(given.body === undefined ? {} : { body: given.body }),
      ...(given.leaveAfterMs === undefined ? {} : { timeoutMs: given.leaveAfterMs }),
    },
    outcome: {
      answers,
      thread,
      reasons,
      cell,
      next,
      ...(rests === undefined ? {} : { rests }),
      ...(atLeast === undefined ? {} : { atLeast }),
      ...(atMost === undefined ? {} : { atMost }),
    },
  };
}

function configOf(module: string, { timeoutS = 0.3, memoryMb = 32, runtime, config = '' }: AbuseGiven): string {
  const limits = `timeout: ${timeoutS}, memory_mb: ${memoryMb}${runtime === undefined ? '' : `, ${runtime}`}`;
  return `module_name: ${module}
module_version: 1.0.0
auto_load: false
security: { require_authentication: false, rate_limiting: false }
runtime: { ${limits} }
${config}`;
}

function codeOf({ code, before = '', run = '', members = '' }: AbuseGiven): string {
  if (code !== undefined) return code;
  return `import { BaseModule, HttpError, Type } from '@plexichat/sdk';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
${before}
export default class Abuse extends BaseModule {
  setupRoutes() {
    this.router.get('/ok', () => ({ ok: true }));
    this.router.get('/run', (context) => this.run(context));
  }
  async run(context) { ${run} }
  ${members}
}
`;
}
