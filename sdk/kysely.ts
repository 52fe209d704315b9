/**
 * A dialect of Kysely (https://kysely.dev) over `this.db`: typed queries, built in TypeScript. Needs `kysely` among the
 * "dependencies" of the module's package.json; it is bundled into the module.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { DbClient, Queryable, SqlParameter } from './capabilities/db.ts';

/**
 * Tables are declared in config.yaml, so Kysely's own migrations and `schema` are refused, and so are savepoints.
 * @example
 * import { Kysely } from 'kysely';
 * import { kyselyDialect } from '@plexichat/sdk/kysely';
 *
 * interface Tables { notes: { id: Generated<number>; owner: string; text: string } }
 *
 * export default class Notes extends BaseModule {
 *   readonly #kysely = new Kysely<Tables>({ dialect: kyselyDialect(this.db) });
 * }
 */
export function kyselyDialect(db: DbClient): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(db),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createDriver(db: DbClient): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => new Connection(db),
    beginTransaction: (connection) => own(connection).begin(),
    commitTransaction: (connection) => own(connection).commit(),
    rollbackTransaction: (connection) => own(connection).rollback(),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
}

function own(connection: DatabaseConnection): Connection {
  if (connection instanceof Connection) return connection;
  throw new TypeError('kyselyDialect: this connection belongs to another dialect.');
}

/** Thrown into the transaction, to have it rolled back. */
const ROLLBACK = new Error('The transaction is rolled back.');

interface Open {
  readonly commit: () => void;
  readonly rollback: () => void;
  readonly ended: Promise<void>;
}

class Connection implements DatabaseConnection {
  readonly #db: DbClient;
  #current: Queryable;
  #open: Open | undefined;

  constructor(db: DbClient) {
    this.#db = db;
    this.#current = db;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes, lastInsertId } = await this.#current.execute(sql, parameters as readonly SqlParameter[]);
    return {
      rows: rows as Row[],
      numAffectedRows: BigInt(changes),
      ...(lastInsertId === null ? {} : { insertId: BigInt(lastInsertId) }),
    };
  }

  // biome-ignore lint/correctness/useYield: it only refuses.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('kyselyDialect: streams are not supported; ask page by page, with limit and offset.');
  }

  /** Kysely begins and ends in two calls what `db.transaction` does in one. */
  async begin(): Promise<void> {
    const begun = Promise.withResolvers<void>();
    const inside = Promise.withResolvers<void>();
    const ended = this.#db.transaction((tx) => {
      this.#current = tx;
      begun.resolve();
      return inside.promise;
    });
    ended.catch(begun.reject);
    await begun.promise;
    this.#open = { ended, commit: inside.resolve, rollback: () => inside.reject(ROLLBACK) };
  }

  async commit(): Promise<void> {
    const open = this.#close();
    open?.commit();
    await open?.ended;
  }

  async rollback(): Promise<void> {
    const open = this.#close();
    open?.rollback();
    await open?.ended.catch((error: unknown) => {
      if (error !== ROLLBACK) throw error;
    });
  }

  #close(): Open | undefined {
    const open = this.#open;
    this.#open = undefined;
    this.#current = this.#db;
    return open;
  }
}
