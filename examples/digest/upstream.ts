/**
 * A small fake chat service, for a first try and for tests: a feed of messages in pages, and a place to post digests.
 * It is as unreliable as services are: it keeps each digest, and then answers 503 the first time. No part of the module:
 * it runs outside, as the real service would. By itself: `npx node examples/digest/upstream.ts`.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';

const PORT = 8098;
const PAGE_SIZE = 4;

const MESSAGES: readonly { channel: string; author: string; text: string }[] = [
  { channel: 'general', author: 'ada', text: 'Good morning! The release is on Thursday.' },
  { channel: 'general', author: 'bo', text: 'Thursday works. Who writes the release notes?' },
  { channel: 'kitchen', author: 'cleo', text: 'There is fresh coffee.' },
  { channel: 'general', author: 'ada', text: 'I will write the notes tomorrow.' },
  { channel: 'support', author: 'dara', text: 'Two customers ask when the release comes.' },
  { channel: 'support', author: 'bo', text: 'Tell them Thursday, and send them the notes.' },
  { channel: 'kitchen', author: 'ada', text: 'The coffee is gone already?' },
  { channel: 'kitchen', author: 'cleo', text: 'More coffee comes tomorrow.' },
  { channel: 'general', author: 'dara', text: 'The customers say thanks.' },
  { channel: 'support', author: 'dara', text: 'A customer has found a bug in the release.' },
];

/** Undefined when the port is taken: then somebody else answers there. 0 takes a free one. */
export function startUpstream(port: number): Promise<Server | undefined> {
  /** By idempotency key: a digest that comes again under the same key is the same digest. */
  const digests = new Map<string, string>();
  const server = createServer((request, response) => {
    answerTo(request, digests).then(
      ([status, answer]) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
      () => response.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function answerTo(
  request: IncomingMessage,
  digests: Map<string, string>,
): Promise<[status: number, answer: object]> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'GET' && pathname === '/messages') return [200, pageOf(Number(searchParams.get('page') ?? 1))];
  if (request.method === 'GET' && pathname === '/digests') return [200, Object.fromEntries(digests)];
  if (request.method === 'POST' && pathname === '/digests') {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string') return [400, { message: 'A digest needs an idempotency-key.' }];
    if (digests.has(key)) return [200, { message: 'I have that one.' }];
    digests.set(key, await text(request));
    return [503, { message: 'Too busy to answer properly; please try again.' }];
  }
  return [404, { message: 'Only GET /messages?page=N and GET and POST /digests are here.' }];
}

function pageOf(page: number): object {
  const start = (page - 1) * PAGE_SIZE;
  return { pages: Math.ceil(MESSAGES.length / PAGE_SIZE), messages: MESSAGES.slice(start, start + PAGE_SIZE) };
}

if (import.meta.main) {
  const server = await startUpstream(PORT);
  if (server === undefined) {
    console.error(`Port ${PORT} is in use: something answers there already.`);
    process.exitCode = 1;
  } else
    console.log(`A fake chat service: http://localhost:${PORT}/messages?page=1 and http://localhost:${PORT}/digests`);
}
