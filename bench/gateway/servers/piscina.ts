/** (b) One `piscina.run` per request, on one thread. */
import { Piscina } from 'piscina';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { type ModuleFacts, serveModule } from './serve-module.ts';

/** The fastest of 64, 256 and 1024, and of the three kinds of `atomics`; see README.md. */
const pool = new Piscina({
  filename: new URL('./piscina-task.ts', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: Number(process.env.P_TASKS ?? 64),
  atomics: (process.env.P_ATOMICS ?? 'sync') as 'sync',
});

serveParent({ ready: await serveModule(childOptions<ModuleFacts>(), (request) => pool.run(request)) });
