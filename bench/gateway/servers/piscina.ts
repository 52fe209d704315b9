/** (b) One `piscina.run` per request, on one thread. */
import { Piscina } from 'piscina';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { type ModuleFacts, serveModule } from './serve-module.ts';

/** 64, 256 and 1024 tasks at a time and the three kinds of `atomics` are equally fast at 32 connections; at 1 this is. */
const pool = new Piscina({
  filename: new URL('./piscina-task.ts', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: 64,
  atomics: 'sync',
});

serveParent({ ready: await serveModule(childOptions<ModuleFacts>(), (request) => pool.run(request)) });
