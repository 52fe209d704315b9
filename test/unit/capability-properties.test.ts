/** What holds whatever a module sends: users, debug, notifications, and the addresses that it names. */
import { BlockList } from 'node:net';
import { MAX_DEBUG_LABEL, MAX_DEBUG_VALUE } from '@plexichat/sdk/protocol/debug-limits';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPublicAddress } from '../../runtime/capabilities/address.ts';
import type { BreakpointStop } from '../../runtime/capabilities/breakpoints.ts';
import type { Capability, CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createDebugCapability } from '../../runtime/capabilities/debug.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { createUsersCapability } from '../../runtime/capabilities/users.ts';
import { NotificationRoom } from '../../runtime/notifications/notification-room.ts';
import { openState } from '../../runtime/state/state.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What the host answers: a value, or the code of its refusal; anything else fails the test. */
async function answerOf(capability: Capability, method: string, args: readonly unknown[]): Promise<unknown> {
  const context = { module: 'demo', signal: new AbortController().signal } as CapabilityContext;
  try {
    return { value: await capability(context)[method]?.(...args) };
  } catch (error) {
    if (error instanceof PlexiError) return error.code;
    throw error;
  }
}

const USERS = new Map([['alice', { id: 'alice', tier: 'premium' as const, permissions: ['read'] }]]);
const directory = { find: (id: string) => USERS.get(id) };
const anyArguments = fc.array(fc.oneof(fc.jsonValue(), fc.constantFrom('alice', '__proto__', 'constructor')), {
  maxLength: 3,
});

it('users: without the permission nothing is told, with it only of users that there are, whatever is asked', async () => {
  const closed = createUsersCapability(directory, createPermissionGate({ granted: () => [] }));
  const open = createUsersCapability(directory, createPermissionGate({ granted: () => [{ capability: 'users' }] }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('tier', 'permissions'), anyArguments, async (method, args) => {
      expect(await answerOf(closed, method, args)).toBe('PERMISSION_DENIED');
      const isId = args.length === 1 && typeof args[0] === 'string' && args[0].length > 0 && args[0].length <= 256;
      const user = typeof args[0] === 'string' ? USERS.get(args[0]) : undefined;
      const told = method === 'tier' ? (user?.tier ?? null) : (user?.permissions ?? []);
      expect(await answerOf(open, method, args)).toEqual(isId ? { value: told } : 'INVALID_CALL');
    }),
  );
});

it('debug: a stop has a short label and bounded JSON, or there is none, whatever is sent', async () => {
  const stops: BreakpointStop[] = [];
  const capability = createDebugCapability({
    isInDebugMode: () => true,
    async stop(stop) {
      stops.push(stop);
    },
  });
  const label = fc.oneof(fc.string({ maxLength: 2 * MAX_DEBUG_LABEL }), fc.jsonValue());
  const locals = fc.oneof(fc.jsonValue(), fc.constant('x'.repeat(MAX_DEBUG_VALUE)), fc.constant(undefined));
  await fc.assert(
    fc.asyncProperty(fc.record({ label }, { requiredKeys: [] }), locals, async (where, value) => {
      stops.length = 0;
      const answer = await answerOf(capability, 'breakpoint', [where, value]);
      expect(stops).toHaveLength(answer === 'INVALID_CALL' ? 0 : 1);
      for (const stop of stops) {
        expect(stop.label.length).toBeLessThanOrEqual(MAX_DEBUG_LABEL);
        expect(stop.locals.length).toBeLessThanOrEqual(MAX_DEBUG_VALUE);
        expect(stop.locals).toBe(JSON.stringify(value));
      }
    }),
  );
});

it('notifications: a user sees what was sent to them alone, newest first, and reads nothing of others', async () => {
  const state = await openState(tempFolder(), { warn: () => {}, error: () => {} });
  const users = fc.constantFrom('alice', 'bob', 'Alice', 'alice ', '%', "' OR 1=1 --");
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(users, { maxLength: 12 }), async (sent) => {
        // A state of its own for each run costs more than names of its own.
        const own = (user: string): string => `${user}#${run}`;
        run += 1;
        const settings = { perMinute: 100_000, keepPerUser: 1_000, keepMs: 1_000_000, streamsPerUser: 1 };
        const room = new NotificationRoom(state, settings);
        const kept = new Map<string, string[]>();
        for (const [index, user] of sent.entries()) {
          const words = { userId: own(user), title: String(index), message: '', type: 'info' as const };
          const { id } = await room.send(`m${index % 3}`, words);
          kept.set(user, [String(index), ...(kept.get(user) ?? [])]);
          const other = own(user === 'bob' ? 'alice' : 'bob');
          await expect(room.markRead(other, Number(id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
        }
        for (const [user, titles] of kept) {
          const { notifications } = await room.list(own(user), { unreadOnly: false, limit: 100 });
          expect(notifications.map(({ title }) => title)).toEqual(titles);
        }
      }),
      { numRuns: 30 },
    );
  } finally {
    await state.close();
  }
});

it('addresses: none of a range that is not public passes, however it is written', () => {
  const closed = new BlockList();
  for (const [net, bits] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const) {
    closed.addSubnet(net, bits, 'ipv4');
  }
  const firstBytes = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 224),
  );
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(firstBytes, byte, byte, byte, (...bytes) => {
      const text = bytes.join('.');
      if (closed.check(text)) expect(isPublicAddress(text)).toBe(false);
      const [high, low] = [bytes[0] * 256 + bytes[1], bytes[2] * 256 + bytes[3]].map((half) => half.toString(16));
      for (const mapped of [`::ffff:${text}`, `::ffff:${high}:${low}`, `0:0:0:0:0:ffff:${high}:${low}`]) {
        if (closed.check(text)) expect(isPublicAddress(mapped), mapped).toBe(false);
      }
      // An IPv4 address inside of IPv6 is nobody's way around: 6to4, NAT64, Teredo, compatible.
      for (const inside of [`2002:${high}:${low}::1`, `64:ff9b::${text}`, `2001:0:${high}:${low}::1`, `::${text}`]) {
        expect(isPublicAddress(inside), inside).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
