/** A program of its own: one request of a module, and one of Node's own fetch. Argument: the port on loopback to ask. */
import { createHttpEgress } from '../../runtime/capabilities/http.ts';
import { scriptGuest } from './scripted-guest.ts';

const port = Number(process.argv[2]);
const egress = createHttpEgress(
  {
    allowPrivate: new Set([`api.test:${port}`]),
    timeoutMs: 5_000,
    maxResponseBytes: 1_000,
    resolver: async () => [{ address: '127.0.0.1', family: 4 }],
  },
  { granted: () => [{ capability: 'http', host: 'api.test', port }], secret: () => undefined },
);
const guest = scriptGuest();
const methods = egress.capability({
  module: 'demo',
  session: () => guest.session,
  admitLine: () => true,
  signal: new AbortController().signal,
});
const request = { id: 1, method: 'GET', url: `http://api.test:${port}/proxied`, headers: [], body: { kind: 'none' } };
const answer = await methods.fetch?.(request);
const { status, url } = answer as { status: number; url: string };
const nodes = await (await fetch(`http://127.0.0.1:${port}/nodes-own`)).text();
console.log(JSON.stringify({ egress: [status, url.slice('http://'.length)], nodes }));
await egress.close();
