import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { deskHost } from '../support/desk-host.ts';

const MAIN = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));

/** The command as a shell runs it. */
async function run(input: string, ...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe' });
  const texts = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    texts.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    texts.errors += text;
  });
  // A command that refuses early reads no further.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...texts };
}

it('takes the data of a run from standard input, and ends at once when it is done', async () => {
  const { desk, data } = await deskHost();
  const args = ['tasks', 'run', 'weather', 'refresh', '--input', '-', '--json', '--data', data];
  expect(await run('{"city":\n"Oslo"}\n', ...args)).toEqual({ code: 0, output: '{"id":"42"}\n', errors: '' });
  expect(desk.calls[0]?.[3]).toEqual({ city: 'Oslo' });
});

it('refuses more on standard input than a run may have', async () => {
  const { desk, data } = await deskHost();
  const args = ['tasks', 'run', 'weather', 'refresh', '--input', '-', '--data', data];
  const { code, errors } = await run(JSON.stringify('x'.repeat(1_000_000)), ...args);
  expect(errors).toContain('--input');
  expect([code, desk.calls]).toEqual([1, []]);
});
