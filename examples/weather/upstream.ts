/**
 * A small fake weather service, for a first try and for tests: it knows a few cities and nothing about the weather.
 * No part of the module: it runs outside, as the real service would. By itself: `npx node examples/weather/upstream.ts`.
 */
import { createServer, type Server } from 'node:http';

const PORT = 8099;

const CITIES: ReadonlyMap<string, { name: string; temperature: number; description: string }> = new Map([
  ['berlin', { name: 'Berlin', temperature: 11, description: 'light rain' }],
  ['lisbon', { name: 'Lisbon', temperature: 19, description: 'clear sky' }],
  ['oslo', { name: 'Oslo', temperature: -2, description: 'snow' }],
  ['são paulo', { name: 'São Paulo', temperature: 24, description: 'thunderstorm' }],
  ['tokyo', { name: 'Tokyo', temperature: 16, description: 'scattered clouds' }],
]);

/** Undefined when the port is taken: then somebody else answers there. 0 takes a free one. */
export function startUpstream(port: number): Promise<Server | undefined> {
  const server = createServer((request, response) => {
    const [status, answer] = answerTo(new URL(request.url ?? '/', 'http://localhost'));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function answerTo({ pathname, searchParams }: URL): [status: number, answer: object] {
  if (pathname !== '/weather') return [404, { message: 'Only /weather?q=CITY&appid=KEY is here.' }];
  const key = searchParams.get('appid') ?? '';
  // Any key will do, but not the placeholder of one: then nobody has filled it in.
  if (key === '' || key.includes('{{')) return [401, { message: 'A key is needed: appid=KEY.' }];
  const city = CITIES.get((searchParams.get('q') ?? '').toLowerCase());
  return city === undefined ? [404, { message: `Known cities: ${[...CITIES.keys()].join(', ')}.` }] : [200, city];
}

if (import.meta.main) {
  const server = await startUpstream(PORT);
  if (server === undefined) {
    console.error(`Port ${PORT} is in use: something answers there already.`);
    process.exitCode = 1;
  } else console.log(`A fake weather service: http://localhost:${PORT}/weather?q=Berlin&appid=demo-key`);
}
