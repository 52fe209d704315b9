/** A small fake weather service, for a first try and for tests: it knows a few cities and nothing about the weather. */
import { createServer, type Server } from 'node:http';

const CITIES: Readonly<Record<string, { temperature: number; description: string }>> = {
  berlin: { temperature: 11, description: 'light rain' },
  lisbon: { temperature: 19, description: 'clear sky' },
  oslo: { temperature: -2, description: 'snow' },
  tokyo: { temperature: 16, description: 'scattered clouds' },
};

/** Undefined when the port is taken: then somebody else answers there. */
export function startUpstream(port: number): Promise<Server | undefined> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const city = url.searchParams.get('q') ?? '';
    const weather = CITIES[city.toLowerCase()];
    const authorised = url.searchParams.get('appid') !== null;
    const status = !authorised ? 401 : weather === undefined ? 404 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? { name: city, ...weather } : { message: 'no' }));
  });
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
