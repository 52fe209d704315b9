/** A short form of `npm run soak`, with the same bars but for memory; what they allow for its brevity is in verdict.ts. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { childrenOf, isRunning } from '../support/processes.ts';
import { until } from '../support/until.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/soak.ts', import.meta.url));

interface SoakOutput {
  readonly wrong: readonly string[];
  readonly good: readonly {
    readonly module: string;
    readonly asked: number;
    readonly served: number;
    readonly cameWithRetryAfter: number;
    readonly runs: { readonly completed: number };
  }[];
  readonly hostile: readonly { readonly name: string }[];
  readonly bars: readonly { readonly name: string; readonly measured: number; readonly pass: boolean }[];
}

function start(...flags: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text;
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await code;
  });
  return { child, texts, code };
}

it('keeps its bars for 6 seconds', async () => {
  const { texts, code } = start('--seconds', '6', '--json');
  const ended = await code;
  const { bars, good, hostile, wrong } = JSON.parse(texts.output) as SoakOutput;
  expect(wrong).toEqual([]);
  expect(good).toHaveLength(15);
  expect(hostile.length).toBeGreaterThan(5);
  for (const { asked, served, cameWithRetryAfter, runs } of good) {
    expect(asked).toBeGreaterThan(5);
    // Whoever was not served was told when to come back.
    expect(asked - served).toBe(cameWithRetryAfter);
    expect(runs.completed).toBeGreaterThan(0);
  }
  expect(
    bars.filter(({ pass }) => !pass),
    texts.errors,
  ).toEqual([]);
  expect([ended, bars.length]).toEqual([0, 4]);
}, 180_000);

it('takes its host and its folder along when it is interrupted', async () => {
  const before = new Set(readdirSync(tmpdir()));
  const { child, code } = start('--seconds', '1');
  let children: number[] = [];
  let cells: number[] = [];
  // It is loading its modules then, each in a cell of its own.
  await until(() => {
    children = childrenOf(child.pid ?? 0);
    cells = children.flatMap(childrenOf);
    return cells.length > 0;
  }, 60_000);
  child.kill('SIGINT');
  expect(await code).toBe(130);
  await until(() => [...children, ...cells].every((id) => !isRunning(id)));
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('plexi-soak-') && !before.has(name));
  expect(left).toEqual([]);
}, 120_000);
