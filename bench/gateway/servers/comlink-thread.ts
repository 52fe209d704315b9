/** The thread of (c). */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { ServedModule } from '../../../runtime/modules/served-module.ts';
import { answerStatus } from './status-answer.ts';

const api = {
  invoke: (_request: Parameters<ServedModule['invoke']>[0]) => answerStatus(),
};
export type ComlinkApi = typeof api;

if (parentPort !== null) expose(api, nodeEndpoint(parentPort));
