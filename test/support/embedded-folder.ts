/** Folders with an embedded database in them: making one takes seconds, so it is made once on a machine and copied. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBackend } from '../../runtime/queue/embedded.ts';
import { tempFolder } from './temp-folder.ts';

/** Beside what other tools keep there; may be deleted at any time. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/plexi-tests', import.meta.url));
/** What decides how a new database looks. */
const MADE_OF = [
  '../../runtime/queue/database-folder.ts',
  '../../runtime/queue/embedded.ts',
  '../../runtime/queue/pglite-files.ts',
  '../../runtime/queue/pglite-thread.ts',
  '../../runtime/queue/sql-records.ts',
  '../../node_modules/@electric-sql/pglite/package.json',
  '../../node_modules/bullmq/package.json',
];

/** A folder for the embedded queue that looks as after a first start; gone when the test is over. */
export async function embeddedFolder(): Promise<string> {
  const folder = tempFolder();
  await layDownDatabase(folder);
  return folder;
}

/** Puts the database of a first start into a folder for the embedded queue, which is made when it is missing. */
export async function layDownDatabase(folder: string): Promise<void> {
  const original = join(CACHE, `database-${hashOf(MADE_OF)}`);
  if (!existsSync(original)) await makeOriginal(original);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(join(original, 'database'), join(folder, 'database'), { recursive: true });
}

async function makeOriginal(place: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(`${place}.draft-`);
  const settings = { folder: draft, durability: 'process', prefix: 'test', keepMs: 3_600_000 } as const;
  const backend = await openEmbeddedBackend(settings, { onOnline: () => undefined, onError: () => undefined });
  await backend.close();
  try {
    renameSync(draft, place);
  } catch {
    // Another worker was quicker; both are alike.
    rmSync(draft, { recursive: true, force: true });
  }
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256').update(process.version);
  for (const path of paths) hash.update(readFileSync(new URL(path, import.meta.url)));
  return hash.digest('hex').slice(0, 16);
}
