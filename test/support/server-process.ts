/** A server in a process of its own that a test ends and starts again at the same place. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

export interface ServerProcess {
  start(): Promise<void>;
  /** Ends it by this signal and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

const START_MS = 20_000;

export function serverProcess(
  command: string,
  flags: readonly string[],
  options: SpawnOptions,
  answers: () => Promise<boolean>,
): ServerProcess {
  let child: ChildProcess | undefined;
  let output = '';
  const end = () => child?.kill('SIGKILL');
  return {
    async start() {
      output = '';
      const started = spawn(command, flags, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      process.once('exit', end);
      for (const stream of [started.stdout, started.stderr]) stream?.on('data', (text) => (output += String(text)));
      const deadline = Date.now() + START_MS;
      while (!(await answers())) {
        if (started.exitCode !== null || Date.now() > deadline) {
          started.kill('SIGKILL');
          throw new Error(`${command} did not start:\n${output.slice(-2000)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop(signal = 'SIGTERM') {
      const stopped = child;
      child = undefined;
      process.off('exit', end);
      if (!stopped || stopped.exitCode !== null || stopped.signalCode !== null) return;
      const gone = new Promise((resolve) => stopped.once('exit', resolve));
      stopped.kill(signal);
      await gone;
    },
    signal(signal) {
      child?.kill(signal);
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
