/** The guest's side of `db`: SQL on the module's own database. The statements of a turn travel in one call. */
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { SqlAnswer, SqlStatement } from '../protocol/capabilities/db.ts';
import { MAX_STATEMENTS } from '../protocol/database-limits.ts';
import { isErrorCode, PlexiError } from '../protocol/errors.ts';
import { type Row, readOutcome, type SqlParameter, type StatementOutcome, toStatement } from './db-values.ts';

export type { Row, SqlParameter } from './db-values.ts';

export interface ExecuteResult {
  /** Of a statement that gives some: SELECT, or RETURNING. */
  readonly rows: readonly Row[];
  /** Rows that were inserted, updated or deleted. */
  readonly changes: number;
  /** Of the row that was inserted last; null for statements that give rows. */
  readonly lastInsertId: number | null;
}

export interface Queryable {
  /**
   * Runs one statement and gives its rows: at most 10,000, and 1 MB. Values go into `params`, one for each `?`, never
   * into the SQL. Columns of the types boolean and json come back as booleans and JSON values, datetime as ISO text.
   * @throws TypeError when an argument is not allowed; PermissionDeniedError; an Error with code DATABASE_ERROR (the SQL
   *   is wrong or not allowed), DATABASE_CONSTRAINT (a value breaks a rule of its table), QUOTA_EXCEEDED (the database is
   *   full, or too much waits), DATABASE_TIMEOUT, DATABASE_UNAVAILABLE (try again)
   * @example
   * const notes = await this.db.query<{ id: number; text: string }>('SELECT id, text FROM notes WHERE owner = ?', [user.id]);
   */
  query<Shape extends object = Row>(sql: string, params?: readonly SqlParameter[]): Promise<Shape[]>;
  /**
   * Runs one statement and tells what it changed.
   * @throws as query does
   * @example
   * const { changes } = await this.db.execute('DELETE FROM notes WHERE id = ? AND owner = ?', [id, user.id]);
   * if (changes === 0) throw new HttpError(404, 'No such note');
   */
  execute(sql: string, params?: readonly SqlParameter[]): Promise<ExecuteResult>;
}

export interface DbClient extends Queryable {
  /**
   * Runs statements all or nothing: commits when the function is done, rolls back when it throws. Use `tx` inside, not
   * `this.db`, which waits for the transaction to end. It may take a few seconds (5 by default) and is rolled back then;
   * so call nothing slow inside.
   * @throws what the function throws; an Error with code DATABASE_TIMEOUT when it took too long, or as query does
   * @example
   * await this.db.transaction(async (tx) => {
   *   await tx.execute('UPDATE accounts SET amount = amount - ? WHERE id = ?', [5, from]);
   *   await tx.execute('UPDATE accounts SET amount = amount + ? WHERE id = ?', [5, to]);
   * });
   */
  transaction<Result>(run: (tx: Queryable) => Promise<Result>): Promise<Result>;
}

export function createDbClient(host: HostBinding): DbClient {
  const call = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    try {
      return await host.call('db', method, args);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  return Object.freeze({
    ...createQueryable('db', (statements) => call('query', [statements])),
    async transaction<Result>(run: (tx: Queryable) => Promise<Result>): Promise<Result> {
      if (typeof run !== 'function')
        throw new TypeError('db.transaction: pass a function, such as async (tx) => { … }.');
      const id = await call('begin', []);
      let isOver = false;
      const tx = createQueryable('tx', (statements) => {
        if (isOver) throw new Error('The transaction is over: await every statement inside of its function.');
        return call('inside', [id, statements]);
      });
      try {
        const result = await run(Object.freeze(tx));
        isOver = true;
        await call('commit', [id]);
        return result;
      } catch (error) {
        if (!isOver) {
          isOver = true;
          // The host rolls back by itself when it does not hear of it.
          await call('rollback', [id]).catch(() => {});
        }
        throw error;
      }
    },
  });
}

type Send = (statements: readonly SqlStatement[]) => Promise<unknown>;

interface Waiting {
  readonly statement: SqlStatement;
  readonly size: number;
  readonly resolve: (outcome: StatementOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Of one call; the host's limit is higher. */
const MAX_CALL_CHARACTERS = 1_000_000;

function createQueryable(name: string, send: Send): Queryable {
  let waiting: Waiting[] = [];
  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (const batch of cut(all)) void sendBatch(send, batch, putBack);
  };
  const putBack = (rest: readonly Waiting[]): void => {
    waiting = [...rest, ...waiting];
    if (waiting.length === rest.length) flush();
  };
  const ask = (statement: SqlStatement): Promise<StatementOutcome> =>
    new Promise((resolve, reject) => {
      waiting.push({ statement, size: sizeOf(statement), resolve, reject });
      if (waiting.length === 1) void Promise.resolve().then(flush);
    });
  return {
    async query<Shape extends object = Row>(sql: string, params: readonly SqlParameter[] = []): Promise<Shape[]> {
      const { rows } = await ask(toStatement(`${name}.query`, sql, params));
      return rows as Shape[];
    },
    async execute(sql, params = []) {
      return ask(toStatement(`${name}.execute`, sql, params));
    },
  };
}

async function sendBatch(
  send: Send,
  batch: readonly Waiting[],
  putBack: (rest: readonly Waiting[]) => void,
): Promise<void> {
  try {
    const answers = (await send(batch.map(({ statement }) => statement))) as readonly SqlAnswer[];
    const later: Waiting[] = [];
    for (const [at, one] of batch.entries()) {
      const answer = answers[at];
      if (answer !== undefined && 'result' in answer) one.resolve(readOutcome(answer.result));
      else if (answer !== undefined && 'later' in answer) later.push(one);
      else one.reject(toError(answer));
    }
    if (later.length > 0) putBack(later);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

function toError(answer: Extract<SqlAnswer, { code: string }> | undefined): unknown {
  const code = isErrorCode(answer?.code) ? answer.code : 'INTERNAL';
  return toAuthorError(new PlexiError(code, answer?.message ?? 'The host did not answer a statement.'));
}

function cut(all: readonly Waiting[]): Waiting[][] {
  const batches: Waiting[][] = [];
  let size = Infinity;
  for (const one of all) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= MAX_STATEMENTS || size + one.size > MAX_CALL_CHARACTERS) {
      batches.push([one]);
      size = one.size;
    } else {
      last.push(one);
      size += one.size;
    }
  }
  return batches;
}

function sizeOf({ sql, params }: SqlStatement): number {
  let size = sql.length;
  for (const param of params) {
    size += 16;
    if (typeof param === 'string') size += param.length;
    else if (typeof param === 'object' && param !== null && 'b' in param) size += param.b.length;
  }
  return size;
}
