/** A host as a process of its own, as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { signToken } from '../../runtime/cli/token.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

export interface SpawnedHost {
  readonly child: ChildProcess;
  readonly processId: number;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  /** Its standard output so far. */
  readonly output: () => string;
  fetch(path: string): Promise<Response>;
}

const MAIN = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));

/** Starts `plexi serve` in a process group of its own, as a shell does; killed when the test is over. */
export async function spawnHost(files: Readonly<Record<string, string>>): Promise<SpawnedHost> {
  const folder = tempFolder(Object.fromEntries(Object.entries(files).map(([path, text]) => [`modules/${path}`, text])));
  const data = join(folder, 'data');
  const modules = join(folder, 'modules');
  const child = spawn(
    process.execPath,
    [MAIN, 'serve', '--json', '--port', '0', '--modules', modules, '--data', data],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  // Never 0: a signal to -0 goes to the whole process group of the test.
  if (child.pid === undefined) throw new Error('The host could not be started.');
  const processId = child.pid;
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => output.includes('listening on'));
  const [url] = /http:\/\/[^;"\s]+/.exec(output) ?? [];
  const secret = Buffer.from(readFileSync(join(data, 'token.secret'), 'utf8').trim(), 'hex');
  const token = await signToken(secret, { sub: 'alice', tier: 'basic', permissions: ['read'], lifetime: 600 });
  const get = (path: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  await until(async () => (await get('/readyz')).status === 200);
  return { child, processId, exit, output: () => output, fetch: get };
}
