/** Real data cells in the jail of this machine, and databases over them, with no host around. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlAnswer, SqlResult, SqlStatement, SqlWireValue } from '@plexichat/sdk/protocol/capabilities/db';
import type { Table } from '@plexichat/sdk/protocol/manifest-database';
import { buildCellFiles } from '../../runtime/cells/build.ts';
import { type JailOptions, probeJail } from '../../runtime/cells/jail/probe-jail.ts';
import { DataProcess } from '../../runtime/databases/data-process.ts';
import { Databases, type DatabasesOptions } from '../../runtime/databases/databases.ts';

export interface DatabaseRoom {
  readonly databases: Databases;
  readonly folder: string;
  /** Every data cell that was started, the last one at the end. */
  readonly cells: readonly DataProcess[];
  readonly blames: readonly { readonly module: string; readonly why: string }[];
  readonly troubles: readonly string[];
  readonly noise: readonly string[];
  declare(module: string, tables?: readonly Table[], quotaMb?: number): Promise<void>;
  /** One statement. @throws Error with its code */
  run(module: string, sql: string, params?: readonly SqlWireValue[]): Promise<SqlResult>;
  close(): Promise<void>;
}

export const NOTES: readonly Table[] = [
  {
    name: 'notes',
    columns: [
      { name: 'id', type: 'integer', primary_key: true },
      { name: 'text', type: 'text' },
    ],
  },
];

export async function openDatabaseRoom({
  jail: wanted = 'auto' as JailOptions['jail'],
  memoryMb = 256,
  deadlineMs = 1_000,
  transactionMs = 5_000,
}: Partial<Pick<DatabasesOptions, 'deadlineMs' | 'transactionMs'>> & {
  readonly jail?: JailOptions['jail'];
  readonly memoryMb?: number;
} = {}): Promise<DatabaseRoom> {
  const place = mkdtempSync(join(tmpdir(), 'plexi-data-'));
  const folder = join(place, 'databases');
  const files = await buildCellFiles(place);
  const jail = await (await probeJail({ jail: wanted })).open(files);
  const cells: DataProcess[] = [];
  const blames: { module: string; why: string }[] = [];
  const troubles: string[] = [];
  const noise: string[] = [];
  const databases = new Databases({
    folder,
    deadlineMs,
    transactionMs,
    start: (events) => {
      const cell = new DataProcess({ files, jail, folder, memoryMb, onNoise: (text) => noise.push(text), ...events });
      cells.push(cell);
      return cell;
    },
    onBlame: (module, why) => blames.push({ module, why }),
    onTrouble: (words) => troubles.push(words),
  });
  return {
    databases,
    folder,
    cells,
    blames,
    troubles,
    noise,
    declare: (module, tables = NOTES, quotaMb = 10) => databases.declare(module, { tables, quotaMb }),
    run: async (module, sql, params = []) => resultOf(await databases.run(module, [{ sql, params: [...params] }])),
    async close() {
      await databases.close();
      await jail.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

export function statement(sql: string, ...params: SqlWireValue[]): SqlStatement {
  return { sql, params };
}

/** Of the only answer. @throws Error with its code */
export function resultOf([answer]: readonly SqlAnswer[]): SqlResult {
  if (answer !== undefined && 'result' in answer) return JSON.parse(answer.result) as SqlResult;
  if (answer !== undefined && 'code' in answer) throw Object.assign(new Error(answer.message), { code: answer.code });
  throw new Error('There is no answer.');
}
