/** (c) Plain Comlink over one thread. The method's proxy is kept: making one per request is slower. */
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { childOptions, serveParent } from '../../support/child-side.ts';
import type { ComlinkApi } from './comlink-thread.ts';
import { type ModuleFacts, serveModule } from './serve-module.ts';

const thread = new Worker(new URL('./comlink-thread.ts', import.meta.url));
const { invoke } = wrap<ComlinkApi>(nodeEndpoint(thread));

serveParent({ ready: await serveModule(childOptions<ModuleFacts>(), (request) => invoke(request)) });
