/** `plexi modules install|versions|rollback|…` against a host that answers what the test says. */

import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packModule } from '../support/packages.ts';
import { plexi } from '../support/plexi.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Asked {
  readonly line: string;
  readonly type: string | undefined;
  readonly body: Buffer;
}

const PERMISSIONS = { asked: [], granted: [], unused: [], waits_for: [] as string[] };
const VIEW = { name: 'demo', version: '1.0.0', state: 'running', reasons: [] as string[], permissions: PERMISSIONS };

let server: Server;
let asked: Asked[];
let answer: { status: number; body: object };

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: VIEW };
  server = createServer(async (request: IncomingMessage, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    asked.push({ line: `${request.method} ${request.url}`, type: request.headers['content-type'], body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => void server.close());

const run = (...args: string[]) =>
  plexi('modules', ...args, '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--token', 'abc');

it('install sends the file as it is, and says what came of it and what to do next', async () => {
  const bytes = packModule({ version: '1.2.0', body: `/* ${'long '.repeat(5)} */` });
  const file = join(tempFolder(), 'demo.zip');
  writeFileSync(file, bytes);
  const permissions = { ...PERMISSIONS, waits_for: ['database'] };
  answer = { status: 201, body: { ...VIEW, state: 'installed', outcome: 'installed', package: '1.2.0', permissions } };
  const { code, output } = await run('install', file);
  expect([code, asked[0]?.line, asked[0]?.type]).toEqual([0, 'POST /api/v1/modules', 'application/zip']);
  expect(asked[0]?.body.equals(bytes)).toBe(true);
  expect(output).toMatch(/demo 1\.2\.0 is installed/);
  expect(output).toMatch(/plexi modules grant demo database/);
});

it('install of what is not there, or is refused, ends with 1 and the reasons', async () => {
  expect(await run('install', '/nowhere/demo.zip')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/no such/),
  });
  const file = join(tempFolder(), 'demo.zip');
  writeFileSync(file, 'x');
  const errors = [{ path: '/body/..', message: 'leads out \u001b[31m of the package' }];
  answer = { status: 422, body: { detail: 'This package cannot be installed.', code: 'INVALID_INPUT', errors } };
  const refused = await run('install', file);
  expect([refused.code, refused.output]).toEqual([1, '']);
  expect(refused.errors).toMatch(/leads out/);
  expect(refused.errors).not.toContain('\u001b');
});

it.each(['enable', 'disable', 'start', 'stop', 'restart'])(
  '%s asks for just that, and shows the state',
  async (what) => {
    answer = { status: 200, body: { ...VIEW, state: 'parked', reasons: ['crashed \u001b]0; a lot'] } };
    const { code, output } = await run(what, 'demo');
    expect([code, asked.map(({ line }) => line)]).toEqual([0, [`POST /api/v1/modules/demo/${what}`]]);
    expect(output).toMatch(/^demo 1\.0\.0 is parked: crashed .* a lot\n$/);
    expect(output).not.toContain('\u001b');
  },
);

it('versions, rollback and remove ask for what they say', async () => {
  const version = {
    version: '1.0.0',
    role: 'in_force',
    publisher: null,
    bytes: 2048,
    stored_at: '2026-01-01T00:00:00Z',
  };
  answer = { status: 200, body: { versions: [version] } };
  expect((await run('versions', 'demo')).output).toMatch(/1\.0\.0 +in force +2 KB/);
  answer = { status: 200, body: { ...VIEW, outcome: 'upgraded', package: '1.0.0' } };
  expect((await run('rollback', 'demo', '1.0.0')).output).toMatch(/demo 1\.0\.0 has taken over/);
  expect(asked[1]?.body.toString()).toBe('{"version":"1.0.0"}');
  answer = { status: 200, body: { name: 'demo', state: 'removed', data_kept_until: '2026-02-01T00:00:00.000Z' } };
  expect((await run('remove', 'demo')).output).toBe('demo is gone, its data is kept until 2026-02-01.\n');
  answer = { status: 200, body: { name: 'demo', state: 'removed', data_kept_until: null } };
  expect((await run('remove', 'demo', '--purge')).output).toBe('demo is gone, and so is its data.\n');
  expect(asked.map(({ line }) => line)).toEqual([
    'GET /api/v1/modules/demo/versions',
    'POST /api/v1/modules/demo/rollback',
    'DELETE /api/v1/modules/demo',
    'DELETE /api/v1/modules/demo?purge=true',
  ]);
});

it('a name that is none is not asked about', async () => {
  for (const args of [
    ['start', '../tokens'],
    ['remove', 'a/b'],
    ['rollback', 'A', '1.0.0'],
  ]) {
    expect((await run(...args)).code).toBe(1);
  }
  expect(asked).toEqual([]);
});

it('each command says how it is used', async () => {
  for (const command of [
    'install',
    'enable',
    'disable',
    'start',
    'stop',
    'restart',
    'remove',
    'rollback',
    'versions',
  ]) {
    const { code, output } = await plexi('modules', command, '--help');
    expect([code, output], command).toEqual([0, expect.stringMatching(/Examples?:\n/)]);
    expect(output).toContain('--json');
  }
});
