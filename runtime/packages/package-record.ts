/** What the store knows of a version, beside its files; it comes and goes with them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { PUBLISHER_PATTERN } from '../config/publisher-key.ts';
import { placeFile } from './durable.ts';

/** No entry of a package can have this name: hidden ones are refused. */
export const RECORD_FILE = '.package.json';

const RecordSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    publisher: Type.Union([Type.Null(), Type.String({ pattern: PUBLISHER_PATTERN })]),
    bytes: Type.Integer({ minimum: 0 }),
    stored_at: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type PackageRecord = Static<typeof RecordSchema>;
const check = Compile(RecordSchema);

export function writeRecord(folder: string, record: PackageRecord): void {
  placeFile(join(folder, RECORD_FILE), Buffer.from(`${JSON.stringify(record)}\n`));
}

/** Nothing when there is none, or it is none of ours. */
export async function readRecord(folder: string): Promise<PackageRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8'));
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
