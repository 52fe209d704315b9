import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWERS } from '../support/abuse-answers.ts';
import { neighbour } from '../support/abuse-neighbours.ts';
import { NEVER } from '../support/abuse-verdict.ts';
import { OneConnection } from '../support/one-connection.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

/** One that is cut off closes the connection, and has to; one that comes late is an answer of the host's. */
const ENDING = ANSWERS.filter(
  ({ outcome }) =>
    outcome.answers.every((answer) => /^\d/.test(answer)) && !outcome.answers.includes('504 MODULE_TIMEOUT'),
);

let at: TestHost;
let connection: OneConnection;
beforeAll(async () => {
  const files = Object.assign({}, neighbour('next'), ...ENDING.map((abuse) => abuse.files));
  at = await startTestHost({ files });
  connection = new OneConnection(at.url);
  await until(async () => (await connection.ask('/api/v1/next/add/1/1')).status === 200);
});
afterAll(async () => {
  connection.close();
  await at.close();
});

describe('a hostile answer on a connection that others use after it', () => {
  const kept = ENDING.filter(({ request }) => request.method !== 'HEAD');
  it.each(kept.map((abuse) => [abuse.name, abuse] as const))(
    '%s: ends where it says, and says nothing that only a host may',
    async (_name, { module, request }) => {
      await until(async () => (await connection.ask(`/api/v1/${module}/ok`)).status === 200);
      const answer = await connection.ask(request.path, request.method);
      expect(answer.isReused).toBe(true);
      expect(NEVER.filter((name) => name in answer.headers)).toEqual([]);
      expect(answer.headers['x-request-id']).toMatch(/^\S+$/);
      const next = await connection.ask('/api/v1/next/add/20/3');
      expect([next.isReused, next.status, next.text]).toEqual([true, 200, '{"who":"next","sum":23}']);
      expect(next.headers).not.toHaveProperty('x-module-a');
    },
  );

  const headed = ENDING.filter(({ request }) => request.method === 'HEAD');
  it.each(headed.map((abuse) => [abuse.name, abuse] as const))(
    '%s: no byte of it is sent',
    async (_name, { module, request }) => {
      await until(async () => (await connection.ask(`/api/v1/${module}/ok`)).status === 200);
      const { hostname, port } = new URL(at.url);
      const socket = connect(Number(port), hostname).setEncoding('latin1');
      socket.write(`HEAD ${request.path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      socket.write('GET /api/v1/next/add/20/3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of socket) text += chunk;
      const [head, nextHead, ...rest] = text.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(nextHead).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(rest.join('')).toContain('{"who":"next","sum":23}');
    },
  );
});
