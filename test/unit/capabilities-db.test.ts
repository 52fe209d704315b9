/** The host's door to the databases: who may pass, and in which form. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createDatabaseCapability, type DatabasePort } from '../../runtime/capabilities/db.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';

const ID = '0b9f6a52-0a3c-4c0a-9d57-3d6b4f5f3d11';

function open({ granted = true } = {}) {
  const calls: unknown[][] = [];
  const note = (...call: unknown[]): void => void calls.push(call);
  const port: DatabasePort = {
    async run(...args) {
      note('run', ...args);
      return [];
    },
    async begin(module) {
      note('begin', module);
      return ID;
    },
    async inside(...args) {
      note('inside', ...args);
      return [];
    },
    async end(...args) {
      note('end', ...args);
    },
  };
  const gate = createPermissionGate({ granted: () => (granted ? [{ capability: 'database' }] : []) });
  const context = { module: 'notes', signal: new AbortController().signal } as CapabilityContext;
  const methods = createDatabaseCapability(port, gate)(context);
  const call = async (method: string, ...args: unknown[]): Promise<unknown> => methods[method]?.(...args);
  return { calls, call };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'passed',
    (error: unknown) => (error instanceof PlexiError ? error.code : String(error)),
  );

const statement = { sql: 'SELECT ?', params: [1, null, 'a', { b: 'AQI=' }, { i: '-9' }] };

describe('with the permission', () => {
  it('calls go on under the name of the module that makes them', async () => {
    const { calls, call } = open();
    await call('query', [statement]);
    expect(await call('begin')).toBe(ID);
    await call('inside', ID, [statement]);
    await call('commit', ID);
    await call('rollback', ID);
    expect(calls).toEqual([
      ['run', 'notes', [statement]],
      ['begin', 'notes'],
      ['inside', 'notes', ID, [statement]],
      ['end', 'notes', ID, 'commit'],
      ['end', 'notes', ID, 'rollback'],
    ]);
  });

  it.each([
    ['no statements', []],
    ['an empty list', [[]]],
    ['too many statements', [Array(65).fill(statement)]],
    ['an empty text', [[{ sql: '', params: [] }]]],
    ['a long text', [[{ sql: 'x'.repeat(100_001), params: [] }]]],
    ['no parameters', [[{ sql: 'SELECT 1' }]]],
    ['too many parameters', [[{ sql: 'SELECT 1', params: Array(1_001).fill(1) }]]],
    ['a long parameter', [[{ sql: 'SELECT 1', params: ['x'.repeat(1_000_001)] }]]],
    ['a list as parameter', [[{ sql: 'SELECT 1', params: [[1]] }]]],
    ['bytes that are no base64', [[{ sql: 'SELECT 1', params: [{ b: 'a-b' }] }]]],
    ['a number that is none', [[{ sql: 'SELECT 1', params: [{ i: '1e9' }] }]]],
    ['both kinds at once', [[{ sql: 'SELECT 1', params: [{ i: '1', b: '' }] }]]],
    ['another key', [[{ ...statement, retried: true }]]],
    ['a key of the prototype', [[JSON.parse('{"sql":"SELECT 1","params":[],"__proto__":{}}')]]],
    ['a second argument', [[statement], 'other_module']],
  ])('refused: %s', async (_what, args) => {
    const { calls, call } = open();
    expect(await codeOf(call('query', ...args))).toBe('INVALID_CALL');
    expect(calls).toEqual([]);
  });

  it.each([[], [''], ['x'], [ID.toUpperCase()], [`${ID} `], [{ toString: (): string => ID }], [ID, 1]])(
    'refused as a transaction: %s',
    async (...args) => {
      const { calls, call } = open();
      for (const method of ['commit', 'rollback']) expect(await codeOf(call(method, ...args))).toBe('INVALID_CALL');
      expect(calls).toEqual([]);
    },
  );

  it('nothing that a guest could send makes it fail in another way', async () => {
    const { call } = open();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('query', 'inside', 'commit', 'rollback'),
        fc.array(fc.jsonValue()),
        async (method, args) => {
          expect(['passed', 'INVALID_CALL']).toContain(await codeOf(call(method, ...args)));
        },
      ),
    );
  });
});

it('without the permission nothing passes, whatever it is', async () => {
  const { calls, call } = open({ granted: false });
  for (const args of [
    ['query', [statement]],
    ['query', 1],
    ['begin'],
    ['inside', ID, [statement]],
    ['commit', ID],
  ] as const) {
    const [method, ...rest] = args;
    expect(await codeOf(call(method, ...rest))).toBe('PERMISSION_DENIED');
  }
  expect(calls).toEqual([]);
});
