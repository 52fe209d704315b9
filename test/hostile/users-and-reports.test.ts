/**
 * Modules that misuse what they may ask about users and what they may report: as real modules in a real cell. Nobody
 * learns of a user without the permission, and no report passes for what the host itself noticed.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Capability } from '../../runtime/capabilities/capability.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { createSecurityLogCapability } from '../../runtime/capabilities/security-log.ts';
import { createUsersCapability } from '../../runtime/capabilities/users.ts';
import type { SecurityEvent } from '../../runtime/state/security-event.ts';
import { SecurityEvents } from '../../runtime/state/security-events.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { HUNT } from '../support/hunt.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';

const ALICE = { id: 'alice', tier: 'premium' as const, permissions: ['read', 'write'] };
const USERS = new Map([[ALICE.id, ALICE]]);

let room: CellRoom;
let state: MemoryState;
let events: SecurityEvents;
let capabilities: Readonly<Record<string, Capability>>;

beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room?.close());

beforeEach(() => {
  state = openMemoryState();
  events = new SecurityEvents({ state, onEvent: () => {}, onFailure: () => {} });
  const gate = createPermissionGate({
    granted: (module) => (module === 'granted' ? [{ capability: 'users' }] : []),
    onDenied: (module, _asked, action) =>
      events.record(module, { kind: 'permission_denied', name: 'users:read', details: action }),
  });
  capabilities = {
    users: createUsersCapability({ find: (id) => USERS.get(id) }, gate),
    securityLog: createSecurityLogCapability({
      report: (module, name, details) => events.record(module, { kind: 'reported', name, details }),
    }),
  };
});
afterEach(() => events.close());

/** What was kept, oldest first. */
async function kept(): Promise<readonly SecurityEvent[]> {
  await events.close();
  return (await events.list({ limit: 100 })).toReversed();
}

async function hostile(name: string, body: string, look: (guest: Guest) => Promise<void>): Promise<void> {
  const guest = await room.boot(body, { name, before: HUNT, capabilities });
  try {
    await look(guest);
    expect([guest.failures, guest.violations]).toEqual([[], []]);
  } finally {
    guest.instance.terminate('terminated', 'the test is over');
    await guest.exit;
  }
}

describe('a hostile module that asks about users', () => {
  const STRANGE = `['__proto__', 'constructor', '', 'x'.repeat(257), '\\ud800', '*', 'alice\\0', 7, null, ['alice'], { id: 'alice' }, { toString: () => 'alice' }]`;

  it('learns nothing without the permission, however it asks, and that is a security event', async () => {
    await hostile(
      'stranger',
      `async onrun() {
        const told = [];
        for (const id of ['alice', ...${STRANGE}]) {
          for (const ask of ['getTier', 'getPermissions']) await this.users[ask](id).then((value) => told.push(value), ({ name, permission }) => told.push([name, permission].join()));
        }
        return [...new Set(told)];
      }`,
      async (guest) => {
        expect(await guest.json('run')).toEqual(['PermissionDeniedError,users:read']);
        const [first] = await kept();
        expect(first).toMatchObject({ module: 'stranger', kind: 'permission_denied' });
      },
    );
  });

  it('with the permission learns of those that there are only, and changes nothing by changing its answer', async () => {
    await hostile(
      'granted',
      `async onrun() {
        const permissions = await this.users.getPermissions('alice');
        try { permissions.push('admin'); } catch {}
        Object.prototype.tier = 'admin'; Object.prototype.permissions = ['admin'];
        const strange = [];
        for (const id of ${STRANGE}) strange.push(await this.users.getTier(id).catch(({ code }) => code));
        delete Object.prototype.tier; delete Object.prototype.permissions;
        const refused = await this.users.getTier(7).catch((error) => error);
        return { found: hunt({ users: this.users, permissions, refused }), strange: [...new Set(strange)], again: await this.users.getPermissions('alice'), tier: await this.users.getTier('alice') };
      }`,
      async (guest) => {
        const told = await guest.json<Record<string, unknown>>('run');
        expect(told).toEqual({ found: [], strange: [null, 'INVALID_CALL'], again: ['read', 'write'], tier: 'premium' });
        expect(ALICE.permissions).toEqual(['read', 'write']);
      },
    );
  });
});

describe('a hostile module that reports', () => {
  it('cannot pass for the host or for another module, nor leave more than words', async () => {
    await hostile(
      'stranger',
      `async onrun() {
        const refused = [];
        const report = (name, details) => this.logSecurityEvent(name, details).catch(({ message }) => refused.push(message.slice(0, 20)));
        await report('permission_denied', { module: 'neighbour', kind: 'permission_denied', id: 1, at: 0 });
        await report('x.y', { text: '\\u001b[2J\\u0000\\ud800' });
        await report('x.y', { toJSON: () => 'just text' });
        await report('x.y', JSON.parse('{"__proto__":{"polluted":1}}'));
        await report('Forged\\nline', {});
        await report({ toString: () => 'x.y' }, {});
        await report('x.y', { long: 'x'.repeat(3_000) });
        const deep = {}; let at = deep; for (let n = 0; n < 50_000; n++) at = at.deep = {};
        await report('x.y', deep);
        return refused.length;
      }`,
      async (guest) => {
        expect(await guest.json('run')).toBe(4);
        const all = await kept();
        expect(new Set(all.map(({ module, kind }) => `${module} ${kind}`))).toEqual(new Set(['stranger reported']));
        for (const { name, details } of all) {
          expect(`${name}${details}`).not.toMatch(/\p{Cc}/u);
          expect(`${name}${details}`.isWellFormed()).toBe(true);
          expect(details.length).toBeLessThanOrEqual(2_000);
        }
        expect({}).not.toHaveProperty('polluted');
      },
    );
  });

  it('reports a thousand times: a few rows a minute are kept, and what the host noticed stays', async () => {
    events.record('stranger', { kind: 'egress_denied', name: 'evil.test', details: '' });
    await hostile(
      'stranger',
      `async onrun() {
        for (let n = 0; n < 1_000; n++) await this.logSecurityEvent('noise', { n }).catch(() => {});
        return 'done';
      }`,
      async (guest) => {
        expect(await guest.json('run', 30_000)).toBe('done');
        const all = await kept();
        expect(all.filter(({ kind }) => kind === 'egress_denied')).toHaveLength(1);
        expect(all.filter(({ kind }) => kind === 'reported').length).toBeLessThanOrEqual(60);
      },
    );
  });
});
