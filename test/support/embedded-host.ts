/** A process with the embedded queue, for tests that kill it: `node embedded-host.ts FOLDER hold|load`; a line per fact. */
import { writeSync } from 'node:fs';
import { openEmbeddedBackend } from '../../runtime/queue/embedded.ts';

const [folder = '', mode = ''] = process.argv.slice(2);
/** At once, or the kill would swallow it. */
const say = (line: string) => writeSync(1, `${line}\n`);

const backend = await openEmbeddedBackend(
  { folder, durability: 'process', prefix: 'test', keepMs: 3_600_000 },
  {
    onOnline: (online, reason) => say(`online ${online} ${reason}`),
    onError: (error) => say(`error ${error.message}`),
  },
);
await backend.releaseOrphans();
say('open');

if (mode === 'hold') {
  backend.consume('held', (job) => new Promise(() => say(`ran ${job.id}`)), { concurrency: 3 });
}
if (mode === 'load') {
  const run = async (job: { data: { n: string } }) => {
    say(`ran ${job.data.n}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  backend.consume('load', run, { concurrency: 5 });
  const add = async (lane: number) => {
    for (let count = 0; ; count++) {
      const n = `${process.pid}-${lane}-${count}`;
      await backend.queue('load').add('task', { n });
      say(`added ${n}`);
    }
  };
  await Promise.all([add(0), add(1), add(2)]);
}
