/** An HTTP server that is no host of ours. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type PlexiRun, plexi } from './plexi.ts';

export interface Stranger {
  readonly url: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
}

export async function stranger(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Stranger> {
  const requests: Stranger['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function sends(value: unknown, status = 200) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

/** `plexi tasks …` with a stranger for a host. */
export function askStranger(at: Stranger, ...args: string[]): Promise<PlexiRun> {
  return plexi('tasks', ...args, '--url', at.url, '--token', 'a.b.c');
}
