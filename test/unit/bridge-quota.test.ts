import { describe, expect, it } from 'vitest';
import { Quota, type QuotaLimits } from '../../runtime/bridge/quota.ts';

const LIMITS: QuotaLimits = { callsInFlight: 2, callsPerSecond: 3, bytesPerSecond: 100, violations: 2 };

function quotaAt(limits: Partial<QuotaLimits> = {}) {
  const clock = { ms: 0 };
  return { clock, quota: new Quota({ ...LIMITS, ...limits }, () => clock.ms) };
}
const nothing = async (): Promise<void> => {};

describe('calls in flight', () => {
  it('are refused over the limit, and again allowed when one is over', async () => {
    const { quota } = quotaAt();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const running = [quota.run(() => first.promise), quota.run(() => second.promise)];
    await expect(quota.run(nothing)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    first.resolve();
    await running[0];
    await quota.run(nothing);
    second.resolve();
    await Promise.all(running);
  });

  it('that fail give their place back', async () => {
    const { quota } = quotaAt({ callsPerSecond: 100 });
    for (let count = 0; count < 10; count++) {
      await expect(quota.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    }
    await quota.run(nothing);
  });
});

describe('calls per second', () => {
  it('come back as time passes, and never more than a second of them', async () => {
    const { quota, clock } = quotaAt();
    for (let count = 0; count < 3; count++) await quota.run(nothing);
    await expect(quota.run(nothing)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    clock.ms += 400;
    await quota.run(nothing);
    await expect(quota.run(nothing)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    clock.ms += 3_600_000;
    for (let count = 0; count < 3; count++) await quota.run(nothing);
    await expect(quota.run(nothing)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  it('that are refused cost nothing', async () => {
    const { quota, clock } = quotaAt();
    for (let count = 0; count < 50; count++) await quota.run(nothing).catch(() => {});
    clock.ms += 334;
    await quota.run(nothing);
  });
});

describe('bytes', () => {
  it('over a second of quota mean a flood, and time makes room again', () => {
    const { quota, clock } = quotaAt();
    expect(quota.receive(100)).toBe(true);
    expect(quota.receive(1)).toBe(false);
    clock.ms += 500;
    expect(quota.receive(49)).toBe(true);
    expect(quota.receive(50)).toBe(false);
  });

  it('that were no doing of the guest’s are given back, and never more than a second of them', () => {
    const { quota } = quotaAt();
    expect(quota.receive(90)).toBe(true);
    quota.refund(80);
    expect(quota.receive(90)).toBe(true);
    quota.refund(1_000);
    expect(quota.receive(100)).toBe(true);
    expect(quota.receive(1)).toBe(false);
  });

  it('at the pace of the quota never mean a flood', () => {
    const { quota, clock } = quotaAt();
    for (let tick = 0; tick < 1_000; tick++) {
      expect(quota.receive(10)).toBe(true);
      clock.ms += 100;
    }
  });
});

describe('violations', () => {
  it('are forgiven up to the limit, for the life of the instance', () => {
    const { quota, clock } = quotaAt();
    expect([quota.violate(), quota.violate()]).toEqual([true, true]);
    clock.ms += 3_600_000;
    expect(quota.violate()).toBe(false);
  });
});
