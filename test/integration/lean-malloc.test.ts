/** A host that serves for months keeps little memory that it does not use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LEAN_MALLOC } from '../../runtime/cli/lean-malloc.ts';

const MODULE = new URL('../../runtime/cli/lean-malloc.ts', import.meta.url).href;
const PROGRAM = `import { useLeanMalloc } from ${JSON.stringify(MODULE)};
useLeanMalloc();
console.log(JSON.stringify({ id: process.pid, arguments: process.argv.slice(1), malloc: Object.entries(process.env).filter(([name]) => name.startsWith('MALLOC_')) }));`;

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
  return {
    started: child.pid,
    ...(JSON.parse(text) as { id: number; arguments: string[]; malloc: [string, string][] }),
  };
}

it.skipIf(process.platform !== 'linux')(
  'a process starts once more with few heaps that give back what is large, as the same process',
  async () => {
    const ran = await run({});
    expect([Object.fromEntries(ran.malloc), ran.id]).toEqual([LEAN_MALLOC, ran.started]);

    expect(ran.arguments).toEqual(expect.arrayContaining(['serve', '--port', '0']));
  },
);

it('what the operator has chosen stays', async () => {
  for (const name of Object.keys(LEAN_MALLOC)) expect((await run({ [name]: '7' })).malloc).toEqual([[name, '7']]);
});
