/**
 * A small fake translation service, for a first try and for tests: it knows a few words and no grammar.
 * No part of the module: it runs outside, as the real service would. By itself: `npx node examples/translator/upstream.ts`.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';

const PORT = 8097;
const MAX_BYTES = 100_000;

const WORDS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  de: new Map([
    ['hello', 'hallo'],
    ['good', 'guten'],
    ['morning', 'Morgen'],
    ['in', 'in'],
    ['the', 'dem'],
    ['world', 'Welt'],
  ]),
  fr: new Map([
    ['hello', 'bonjour'],
    ['good', 'bon'],
    ['morning', 'matin'],
    ['in', 'dans'],
    ['the', 'le'],
    ['world', 'monde'],
  ]),
};

interface Wish {
  readonly text?: string;
  readonly to?: string;
  readonly glossary?: readonly { readonly term: string; readonly as: string }[];
}

/** Undefined when the port is taken: then somebody else answers there. 0 takes a free one. */
export function startUpstream(port: number): Promise<Server | undefined> {
  const server = createServer((request, response) => {
    const answer = ([status, body]: [number, object]): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answerTo(request).then(answer, () => answer([400, { message: 'That cannot be read.' }]));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function answerTo(request: IncomingMessage): Promise<[status: number, answer: object]> {
  if (request.method !== 'POST' || request.url !== '/translate') return [404, { message: 'POST /translate is here.' }];
  const key = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Any key will do, but not the placeholder of one: then nobody has filled it in.
  if (key === '' || key.includes('{{')) return [401, { message: 'A key is needed: Authorization: Bearer KEY.' }];
  const { text = '', to = '', glossary = [] } = JSON.parse(await readText(request)) as Wish;
  const words = WORDS[to];
  if (words === undefined) return [422, { message: `Known languages: ${Object.keys(WORDS).join(', ')}.` }];
  const terms = new Map(glossary.map(({ term, as }) => [term.toLowerCase(), as]));
  const translated = text.replace(/[\p{L}\p{N}]+/gu, (word) => {
    const known = word.toLowerCase();
    return terms.get(known) ?? words.get(known) ?? word;
  });
  return [200, { text: translated }];
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BYTES) throw new Error('too long');
  }
  return text;
}

if (import.meta.main) {
  const server = await startUpstream(PORT);
  if (server === undefined) {
    console.error(`Port ${PORT} is in use: something answers there already.`);
    process.exitCode = 1;
  } else console.log(`A fake translation service: POST http://localhost:${PORT}/translate`);
}
