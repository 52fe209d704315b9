/** Runs confinement cases in realms without walls: each in a process of its own, which may die of it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type ConfinementCase, PRELUDE } from './confinement-case.ts';
import { type CaseResult, isResult } from './confinement-host.ts';
import type { NaiveRealm, NaiveTask } from './naive-realm.ts';

export interface Firing extends CaseResult {
  readonly realm: NaiveRealm;
  /** How its process ended, when it did not end well. */
  readonly death: string | undefined;
}

export interface NaiveRealms {
  /**
   * The first firing, or `undefined` when the case gets nothing anywhere. A dead process is second best.
   * @param enough the level that counts
   */
  fire(attempt: ConfinementCase, enough?: number): Promise<Firing | undefined>;
}

/** The level of an object of another realm. */
const FOREIGN_OBJECT = 2;
const DEADLINE_MS = 15_000;
const TOO_LATE = 'SIGKILL';
const OPEN_FLAGS = ['--allow-natives-syntax', '--expose-gc', '--expose-internals', '--experimental-shadow-realm'];

/** @param folder for what is bundled */
export async function openNaiveRealms(folder: string, plantedFile: string): Promise<NaiveRealms> {
  const program = join(folder, 'naive-realm.mjs');
  // A process that has to strip types first takes twice as long.
  await build({
    entryPoints: [fileURLToPath(new URL('./naive-realm.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  return {
    async fire(attempt, enough = FOREIGN_OBJECT) {
      let died: Firing | undefined;
      for (const realm of realmsFor(attempt)) {
        const firing = await runNaively(program, {
          realm,
          prelude: PRELUDE,
          text: attempt.text,
          isModule: attempt.flags.has('raw'),
          wantsPort: attempt.flags.has('rawport'),
          plantedFile,
        });
        if (firing.level >= enough) return firing;
        if (countsAsFiring(firing, attempt)) died ??= firing;
      }
      return died;
    },
  };
}

function realmsFor({ flags }: ConfinementCase): readonly NaiveRealm[] {
  if (flags.has('rawport')) return ['moved', 'context', 'bare', 'open'];
  if (flags.has('crash')) return ['thread', 'context', 'bare'];
  return ['context', 'kernel', 'handed', 'bare', 'open'];
}

/** Any case may make Node abort. An exit is worth something to those that want it, or talk to the host's port themselves. */
function countsAsFiring({ death }: Firing, { flags }: ConfinementCase): boolean {
  if (death === undefined || death === TOO_LATE) return false;
  return death.startsWith('SIG') || flags.has('crash') || flags.has('rawport');
}

function runNaively(program: string, task: NaiveTask): Promise<Firing> {
  const flags = task.realm === 'open' ? OPEN_FLAGS : [];
  const child = spawn(process.execPath, ['--no-warnings', ...flags, program], {
    env: { CANARY: process.env.CANARY },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: DEADLINE_MS,
    killSignal: TOO_LATE,
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // It may be dead before it has read what it should do.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(task));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const results = said.split('\n').flatMap(readResult);
      const best = results.toSorted((a, b) => b.level - a.level)[0] ?? { level: 0, notes: [] };
      const death = code === 0 ? undefined : (signal ?? `exit code ${code}`);
      resolve({ ...best, realm: task.realm, death });
    });
  });
}

/** Cases may write to the same stream, whatever they like. */
function readResult(line: string): CaseResult[] {
  try {
    const value: unknown = JSON.parse(line);
    return isResult(value) ? [value] : [];
  } catch {
    return [];
  }
}
