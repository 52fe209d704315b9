/** A host that serves for months keeps little memory that it does not use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MODULE = new URL('../../runtime/cli/few-arenas.ts', import.meta.url).href;
const PROGRAM = `import { useFewArenas } from ${JSON.stringify(MODULE)};
useFewArenas();
console.log(JSON.stringify({ id: process.pid, arguments: process.argv.slice(1), arenas: process.env.MALLOC_ARENA_MAX ?? '' }));`;

async function run(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, '--', 'serve', '--port', '0'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child, 'close');
  return { started: child.pid, ...(JSON.parse(text) as { id: number; arguments: string[]; arenas: string }) };
}

it.skipIf(process.platform !== 'linux')('a process starts once more with two heaps, as the same process', async () => {
  const ran = await run({});
  expect([ran.arenas, ran.id]).toEqual(['2', ran.started]);

  expect(ran.arguments).toEqual(expect.arrayContaining(['serve', '--port', '0']));
});

it('what the operator has chosen stays', async () => {
  expect((await run({ MALLOC_ARENA_MAX: '7' })).arenas).toBe('7');
});
