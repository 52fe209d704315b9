/** Breakpoints on the host: who may stop, for how long, how many, and what operators see of it. */
import { describe, expect, it, vi } from 'vitest';
import { Breakpoints } from '../../runtime/capabilities/breakpoints.ts';
import { createDebugCapability } from '../../runtime/capabilities/debug.ts';
import { OpenInvocations } from '../../runtime/capabilities/open-invocations.ts';
import type { AuditEntry } from '../../runtime/management/audit.ts';
import { mountDebug } from '../../runtime/management/debug-routes.ts';
import { bearer, fakeGateway, jsonOf } from '../support/fake-modules.ts';
import { until } from '../support/until.ts';

function open({ debug = true } = {}) {
  const breakpoints = new Breakpoints();
  const invocations = new OpenInvocations();
  const instance = new AbortController();
  const port = { isInDebugMode: () => debug, stop: breakpoints.stop.bind(breakpoints) };
  const table = createDebugCapability(port)({
    module: 'demo',
    session: () => {
      throw new Error('not asked');
    },
    admitLine: () => true,
    signal: instance.signal,
    invocations,
  });
  const stop = async (request: unknown = { label: 'here' }, locals: unknown = { n: 1 }): Promise<unknown> =>
    table.breakpoint?.(request, locals);
  return { breakpoints, invocations, instance, stop };
}

describe('a breakpoint', () => {
  it('is passed at once outside of debug mode, whatever the guest says', async () => {
    const at = open({ debug: false });
    await at.stop();
    expect(at.breakpoints.list()).toEqual([]);
  });

  it('waits until it is resumed', async () => {
    const at = open();
    const passed = at.stop();
    await until(() => at.breakpoints.list().length === 1);
    const [waiting] = at.breakpoints.list();
    expect(waiting).toMatchObject({ module: 'demo', label: 'here', locals: '{"n":1}' });
    expect(at.breakpoints.resume(waiting?.id ?? '')).toEqual(waiting);
    await passed;
    expect(at.breakpoints.list()).toEqual([]);
    expect(() => at.breakpoints.resume(waiting?.id ?? '')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('waits a minute at most, and never past the deadline of its invocation', async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    try {
      const at = open();
      const untilOf = (label: string) => at.breakpoints.list().find((one) => one.label === label)?.until;
      void at.stop({ label: 'free' });
      at.invocations.open(1, { deadline: 1_020_000 });
      at.invocations.open(2, { deadline: 1_010_000 });
      void at.stop({ label: 'first', within: 1 });
      void at.stop({ label: 'unnamed' });
      void at.stop({ label: 'forged', within: 77 });
      await vi.advanceTimersByTimeAsync(0);
      expect(['free', 'first', 'unnamed', 'forged'].map(untilOf)).toEqual([1_060_000, 1_020_000, 1_010_000, 1_010_000]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(at.breakpoints.list()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends with its thread, and with the host', async () => {
    const at = open();
    const first = at.stop();
    await until(() => at.breakpoints.list().length === 1);
    at.instance.abort();
    await first;
    const other = open();
    const second = other.stop();
    await until(() => other.breakpoints.list().length === 1);
    other.breakpoints.close();
    await second;
  });

  it('keeps a place for each module, whatever the others take', async () => {
    const breakpoints = new Breakpoints();
    const until = Date.now() + 60_000;
    const { signal } = new AbortController();
    const stop = async (module: string) => breakpoints.stop({ module, label: 'x', locals: '1', until, signal });
    const all = Array.from({ length: 64 }, (_, n) => stop(`greedy${n % 8}`));
    const [own] = [stop('quiet')];
    expect(breakpoints.list().map(({ module }) => module)).toContain('quiet');
    await expect(stop('quiet')).rejects.toThrow('At most 64 breakpoints wait at once');
    await expect(stop('greedy0')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    breakpoints.close();
    await Promise.all([...all, own]);
  });

  it('is refused when it is one too many, or shows too much', async () => {
    const at = open();
    const all = Array.from({ length: 8 }, () => at.stop());
    await until(() => at.breakpoints.list().length === 8);
    await expect(at.stop()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(at.stop({ label: 'big' }, 'x'.repeat(20_000))).rejects.toMatchObject({ code: 'INVALID_CALL' });
    for (const request of [null, {}, { label: '' }, { label: 'x'.repeat(101) }, { label: 'x', until: 1 }])
      await expect(at.stop(request)).rejects.toMatchObject({ code: 'INVALID_CALL' });
    at.breakpoints.close();
    await Promise.all(all);
  });
});

describe('/api/v1/debug/breakpoints', () => {
  const serve = () => {
    const at = open();
    const audited: AuditEntry[] = [];
    const gateway = fakeGateway([], {
      mount: (platform, tools) =>
        mountDebug(platform, tools, { breakpoints: at.breakpoints, audit: (entry) => audited.push(entry) }),
    });
    const ask = async (path: string, method = 'GET', permissions: readonly string[] = ['modules:manage']) =>
      gateway.request(`/api/v1/debug/breakpoints${path}`, { method, headers: await bearer({ permissions }) });
    return { ...at, audited, ask };
  };

  it('lists what waits, and resumes it, with an entry in the audit', async () => {
    const at = serve();
    const passed = at.stop({ label: 'before the payment' }, { cart: ['tea'] });
    await until(() => at.breakpoints.list().length === 1);
    const { breakpoints } = await jsonOf<{ breakpoints: { id: string }[] }>(at.ask(''));
    expect(breakpoints).toEqual([
      {
        id: expect.any(String),
        module: 'demo',
        label: 'before the payment',
        locals: { cart: ['tea'] },
        since: expect.any(String),
        until: expect.any(String),
      },
    ]);
    const path = `/${breakpoints[0]?.id}/resume`;
    expect((await at.ask(path, 'POST')).status).toBe(200);
    await passed;
    expect((await at.ask(path, 'POST')).status).toBe(404);
    expect(at.audited.map(({ action, module, outcome }) => [action, module, outcome])).toEqual([
      ['breakpoint.resume', 'demo', 'done'],
      ['breakpoint.resume', undefined, 'NOT_FOUND'],
    ]);
  });

  it('is for operators who may manage modules, since what is shown may be about users', async () => {
    const at = serve();
    for (const permissions of [[], ['modules:read'], ['read']]) {
      expect((await at.ask('', 'GET', permissions)).status).toBe(403);
      expect((await at.ask('/x/resume', 'POST', permissions)).status).toBe(403);
    }
    expect((await at.ask('', 'DELETE')).status).toBe(405);
    expect((await at.ask('/x/resume', 'GET')).status).toBe(405);
    expect((await at.ask('?a=b')).status).toBe(422);
  });
});
