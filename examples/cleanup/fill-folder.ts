/** Makes the folder that the example cleans up, with something to clean up in it. No part of the module. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const FOLDER = '/tmp/plexichat-cleanup';

const FILES: Readonly<Record<string, number>> = { 'old.log': 30, 'uploads/older.tmp': 90, 'new.log': 0 };
const DAY_SECONDS = 86_400;

/** Only when it is empty or missing. */
export async function fillFolder(folder = FOLDER): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) return;
  for (const [name, days] of Object.entries(FILES)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${days} days old\n`);
    const changed = Date.now() / 1000 - days * DAY_SECONDS;
    await utimes(path, changed, changed);
  }
}
