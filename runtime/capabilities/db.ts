/** What a module may do with its own database. Which statements pass is decided where SQLite asks (sdk/database). */
import { DB_METHODS, type SqlAnswer, type SqlStatement } from '@plexichat/sdk/protocol/capabilities/db';
import { MAX_PARAMETERS, MAX_SQL, MAX_STATEMENTS, MAX_VALUE } from '@plexichat/sdk/protocol/database-limits';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';
import type { PermissionGate } from './permission-gate.ts';

export interface DatabasePort {
  /**
   * One after the other; what is wrong with a statement is in its answer.
   * @throws PlexiError DATABASE_UNAVAILABLE, DATABASE_TIMEOUT, DATABASE_ERROR (the module has none), QUOTA_EXCEEDED
   */
  run(module: string, statements: readonly SqlStatement[]): Promise<readonly SqlAnswer[]>;
  /** @param signal when it fires, the transaction is rolled back */
  begin(module: string, signal: AbortSignal): Promise<string>;
  inside(module: string, transaction: string, statements: readonly SqlStatement[]): Promise<readonly SqlAnswer[]>;
  end(module: string, transaction: string, how: 'commit' | 'rollback'): Promise<void>;
}

const checkQuery = Compile(DB_METHODS.query.args);
const checkInside = Compile(DB_METHODS.inside.args);
const checkEnd = Compile(DB_METHODS.commit.args);

export function createDatabaseCapability(port: DatabasePort, gate: PermissionGate): Capability {
  return ({ module, signal }) => {
    const permit = (): void => gate.require(module, { capability: 'database' }, 'Using the database');
    return {
      async query(...args) {
        permit();
        if (!checkQuery.Check(args)) throw new PlexiError('INVALID_CALL', `db.query takes ${STATEMENTS}.`);
        return port.run(module, args[0]);
      },
      async begin() {
        permit();
        return port.begin(module, signal);
      },
      async inside(...args) {
        permit();
        if (!checkInside.Check(args)) {
          throw new PlexiError('INVALID_CALL', `db.inside takes the id of a transaction and ${STATEMENTS}.`);
        }
        return port.inside(module, args[0], args[1]);
      },
      async commit(...args) {
        permit();
        await port.end(module, transactionOf(args), 'commit');
      },
      // Without the permission too: it only gives up what is open.
      rollback: (...args) => port.end(module, transactionOf(args), 'rollback'),
    };
  };
}

function transactionOf(args: unknown[]): string {
  if (!checkEnd.Check(args))
    throw new PlexiError('INVALID_CALL', 'db.commit and db.rollback take the id of a transaction.');
  return args[0];
}

const STATEMENTS = `1 to ${MAX_STATEMENTS} statements { sql, params }: SQL of at most ${MAX_SQL} characters, at most ${MAX_PARAMETERS} parameters (null, numbers, text of at most ${MAX_VALUE} characters, { b: base64 }, { i: digits })`;
