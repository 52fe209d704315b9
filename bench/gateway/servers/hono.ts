/** For orientation: the same answer from Hono alone, with no policy before it. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { childOptions, serveParent } from '../../support/child-side.ts';
import type { ModuleFacts } from './serve-module.ts';
import type { ServerReady } from './server.ts';
import { getStatus } from './status-answer.ts';

const { prefix } = childOptions<ModuleFacts>();
const app = new Hono().get(`${prefix}/status`, (context) => context.json(getStatus()));
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
  const ready: ServerReady = { url: `http://127.0.0.1:${port}`, tokens: ['none'] };
  serveParent({ ready });
});
