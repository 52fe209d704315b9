/** The folder and the port of a host that a test starts, ends and starts again as a process: `plexi serve`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { signToken } from '../../runtime/policy/sign-token.ts';
import { layDownDatabase } from './embedded-folder.ts';
import { freePort } from './server-process.ts';
import { tempFolder } from './temp-folder.ts';
import type { LogLine } from './test-host.ts';
import { until } from './until.ts';

export interface HostPlaceOptions {
  /** Below the folder of modules: path → text. */
  readonly modules: Readonly<Record<string, string>>;
  /** plexi.yaml */
  readonly config?: string;
  readonly flags?: readonly string[];
  /** Its embedded queue is as after a first start, which takes seconds. */
  readonly hasQueue?: boolean;
}

export interface HostPlace {
  readonly url: string;
  /** Starts a host here; wait for `ready` before you ask it anything. */
  launch(): HostProcess;
  /** With a token that may do everything. Rejects while no host is there. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export interface HostProcess {
  readonly child: ChildProcess;
  readonly processId: number;
  /** Rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  /** Its standard output so far. */
  readonly output: () => string;
  /** The same as lines of the log. */
  readonly lines: () => readonly LogLine[];
  /** Ends it by this signal and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

const MAIN = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));
const READY_MS = 60_000;
const PERMISSIONS = ['read', 'write', 'modules:read', 'modules:manage'];

/** Its hosts are killed when the test is over. */
export async function hostPlace({
  modules,
  config = '{}',
  flags = [],
  hasQueue = false,
}: HostPlaceOptions): Promise<HostPlace> {
  const files = Object.fromEntries(Object.entries(modules).map(([path, text]) => [`modules/${path}`, text]));
  const folder = tempFolder({ ...files, 'plexi.yaml': config });
  if (hasQueue) await layDownDatabase(join(folder, 'data', 'queue'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let token: string | undefined;

  const get: HostPlace['fetch'] = async (path, init = {}) => {
    token ??= await signToken(readSecret(folder), {
      sub: 'alice',
      tier: 'admin',
      permissions: PERMISSIONS,
      lifetime: 3_600,
    });
    return fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  };
  return {
    url,
    fetch: get,
    launch: () => launch(folder, ['--port', String(port), ...flags], async () => (await get('/readyz')).status === 200),
  };
}

function launch(folder: string, flags: readonly string[], isReady: () => Promise<boolean>): HostProcess {
  const at = (name: string): string => join(folder, name);
  const places = ['--modules', at('modules'), '--data', at('data'), '--config', at('plexi.yaml')];
  const child = spawn(process.execPath, [MAIN, 'serve', '--json', ...places, ...flags], {
    cwd: folder,
    env: withoutSettings(),
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Never 0: a signal to -0 goes to the whole process group of the test.
  if (child.pid === undefined) throw new Error('The host could not be started.');
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ready = until(async () => {
    if (hasEnded()) throw new Error(`The host ended before it was ready:\n${output.slice(-2_000)}`);
    return output.includes('listening on') && (await isReady().catch(() => false));
  }, READY_MS);
  ready.catch(() => {});
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exit;
  };
  onTestFinished(async () => void (await end('SIGKILL')));
  return { child, processId: child.pid, ready, exit, output: () => output, lines: () => readLines(output), end };
}

/** PLEXI_* means settings to a host; to a test it may mean something else. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PLEXI_')));
}

function readSecret(folder: string): Buffer {
  return Buffer.from(readFileSync(join(folder, 'data', 'token.secret'), 'utf8').trim(), 'hex');
}

/** The last line of a host that was killed may be cut off. */
function readLines(output: string): LogLine[] {
  return output.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}
