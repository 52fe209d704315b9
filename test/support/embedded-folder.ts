/** Folders with an embedded database in them: making one takes seconds, so it is made once and copied. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareDatabase } from '../../runtime/queue/database-folder.ts';
import { tempFolder } from './temp-folder.ts';

let original: Promise<string> | undefined;

/** A folder for the embedded queue that looks as after a first start; gone when the test is over. */
export async function embeddedFolder(): Promise<string> {
  original ??= makeOriginal();
  const folder = tempFolder();
  cpSync(await original, join(folder, 'database'), { recursive: true });
  return folder;
}

async function makeOriginal(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-test-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const database = join(folder, 'database');
  await prepareDatabase(database, 'process');
  return database;
}
