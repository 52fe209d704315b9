import { expect, it, vi } from 'vitest';
import type { ConsoleOptions } from '../../runtime/console/console.ts';
import { unavailable } from '../../runtime/state/statement.ts';
import { consoleDoor, KEY, QUEUES, SAME_ORIGIN } from '../support/console-door.ts';

async function door(options: Partial<ConsoleOptions>) {
  const { gateway, signIn, onAction, login } = consoleDoor(options);
  const session = await signIn();
  const pause = (method = 'PUT') =>
    gateway.request(`${QUEUES}/pause`, { method, headers: { ...session, ...SAME_ORIGIN } });
  return { pause, onAction, login };
}

it('a change through the board is told before and after, and looking at it is not', async () => {
  const end = vi.fn();
  const begin = vi.fn(async () => end);
  const { pause } = await door({ begin });
  expect((await pause()).status).toBe(200);
  expect(begin).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ sub: 'ann' }), {
    method: 'PUT',
    path: '/queues/pause',
    requestId: expect.any(String),
  });
  expect(end).toHaveBeenCalledExactlyOnceWith(200);
  await pause('GET');
  expect(begin).toHaveBeenCalledOnce();
});

it('a change that cannot be told before is not made', async () => {
  const { pause, onAction } = await door({ begin: () => Promise.reject(unavailable('the test says so')) });
  const response = await pause();
  expect([response.status, await response.json()]).toEqual([
    503,
    expect.objectContaining({ code: 'STATE_UNAVAILABLE' }),
  ]);
  expect(onAction).toHaveBeenCalledExactlyOnceWith(expect.anything(), expect.objectContaining({ status: 503 }));
});

it('a change that cannot be told after is not reported as made', async () => {
  const { pause } = await door({ begin: async () => () => Promise.reject(unavailable('the test says so')) });
  expect((await pause()).status).toBe(503);
});

it('nobody signs in whose sign-in cannot be told', async () => {
  let isAway = false;
  const { login } = await door({
    onLogin: async () => (isAway ? Promise.reject(unavailable('the test says so')) : undefined),
  });
  isAway = true;
  const response = await login(KEY);
  expect([response.status, response.headers.get('set-cookie')]).toEqual([503, null]);
  isAway = false;
  expect((await login(KEY)).headers.get('set-cookie')).toContain('plexi');
});
