/** `npm run check`: types, lint and format, layers, unused code. Everything runs, then it says what failed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findLayerProblems } from './layers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const COMMANDS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['types of sdk', 'tsc', '-p', 'sdk'],
  ['types of sdk/testing', 'tsc', '-p', 'sdk/testing'],
  ['types of runtime', 'tsc', '-p', 'runtime'],
  ['types of runtime/guest', 'tsc', '-p', 'runtime/guest'],
  ['types of tests, benches', 'tsc', '-p', '.'],
  ['types of examples', 'tsc', '-p', 'examples'],
  ['lint and format', 'biome', 'ci', '--colors=off', '--max-diagnostics=50', '.'],
  ['unused code', 'knip'],
];

const failed: string[] = [];

function note(name: string, ok: boolean, output: string): void {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (!ok) {
    failed.push(name);
    console.log(output.trim().replace(/^/gm, '     '));
  }
}

const problems = findLayerProblems(root);
note('layers', problems.length === 0, problems.join('\n'));
for (const [name, program = '', ...args] of COMMANDS) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  note(name, status === 0, `${stdout}${stderr}`);
}
console.log(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
