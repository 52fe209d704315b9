import { describe, expect, it } from 'vitest';
import { Quota, type QuotaLimits } from '../../runtime/bridge/quota.ts';

const LIMITS: QuotaLimits = {
  callsInFlight: 2,
  callsPerSecond: 3,
  bytesPerSecond: 100,
  linesPerSecond: 2,
  violations: 2,
};

function quotaAt(limits: Partial<QuotaLimits> = {}) {
  const clock = { ms: 0 };
  return { clock, quota: new Quota({ ...LIMITS, ...limits }, () => clock.ms) };
}
const nothing = async (): Promise<void> => {};
const REFUSED = expect.objectContaining({ code: 'QUOTA_EXCEEDED' });

/** Refused or not. */
async function attempt(quota: Quota): Promise<void> {
  try {
    await quota.run(nothing);
  } catch (error) {
    expect(error).toEqual(REFUSED);
  }
}

describe('calls in flight', () => {
  it('are refused over the limit, and again allowed when one is over', async () => {
    const { quota } = quotaAt();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const running = [quota.run(() => first.promise), quota.run(() => second.promise)];
    expect(() => quota.run(nothing)).toThrow(REFUSED);
    first.resolve();
    await running[0];
    await quota.run(nothing);
    second.resolve();
    await Promise.all(running);
  });

  it('are not those that are answered at once', () => {
    const { quota } = quotaAt({ callsInFlight: 1, callsPerSecond: 100 });
    for (let count = 0; count < 10; count++) expect(quota.run(() => quota.run(() => count))).toBe(count);
  });

  it('that fail give their place back', async () => {
    const { quota } = quotaAt({ callsPerSecond: 100 });
    for (let count = 0; count < 10; count++) {
      await expect(quota.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    }
    await quota.run(nothing);
  });
});

describe('answers of the host', () => {
  it('beyond a second of quota are made up for before the next call is asked', () => {
    const { quota, clock } = quotaAt({ callsPerSecond: 1_000 });
    let asked = 0;
    const call = () => quota.run(() => ++asked);
    call();
    quota.answered(150);
    expect(call).toThrow(REFUSED);
    clock.ms += 400;
    expect(call).toThrow(REFUSED);
    clock.ms += 200;
    call();
    expect(asked).toBe(2);
  });
});

describe('calls per second', () => {
  it('come back as time passes, and never more than a second of them', async () => {
    const { quota, clock } = quotaAt();
    for (let count = 0; count < 3; count++) await quota.run(nothing);
    expect(() => quota.run(nothing)).toThrow(REFUSED);
    clock.ms += 400;
    await quota.run(nothing);
    expect(() => quota.run(nothing)).toThrow(REFUSED);
    clock.ms += 3_600_000;
    for (let count = 0; count < 3; count++) await quota.run(nothing);
    expect(() => quota.run(nothing)).toThrow(REFUSED);
  });

  it('that are refused cost nothing', async () => {
    const { quota, clock } = quotaAt();
    for (let count = 0; count < 50; count++) await attempt(quota);
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

describe('what an instance goes on doing over a limit', () => {
  const seconds = (count: number, clock: { ms: number }, each: () => void): void => {
    for (let second = 0; second < count; second++) {
      each();
      clock.ms += 1000;
    }
  };

  it('is a reason to replace it after ten seconds in a row', async () => {
    const { clock, quota } = quotaAt();
    const line = (): void => {
      for (let count = 0; count < 3; count++) quota.admitLine();
    };
    seconds(9, clock, line);
    expect(quota.excess()).toBeUndefined();
    seconds(1, clock, line);
    expect(quota.excess()).toEqual({
      limit: 'lines',
      kind: 'soft',
      detail: 'log lines were dropped in each of the last 10 seconds',
    });
    clock.ms += 1000;
    expect(quota.excess()).toBeUndefined();
  });

  it('is a reason to end it when it is many times the limit', async () => {
    const { quota } = quotaAt();
    for (let count = 0; count < 201; count++) quota.admitLine();
    expect(quota.excess()).toMatchObject({ limit: 'lines', kind: 'hard', detail: '201 log lines in one second' });
    const other = quotaAt().quota;
    for (let count = 0; count < 34; count++) await attempt(other);
    expect(other.excess()).toMatchObject({ limit: 'calls', kind: 'hard' });
  });

  it('counts refused calls and bytes as well', async () => {
    const { clock, quota } = quotaAt();
    for (let second = 0; second < 10; second++) {
      for (let count = 0; count < 5; count++) await attempt(quota);
      clock.ms += 1000;
    }
    expect(quota.excess()).toMatchObject({ limit: 'calls', kind: 'soft' });
    const sender = quotaAt();
    seconds(10, sender.clock, () => sender.quota.receive(60));
    expect(sender.quota.excess()).toMatchObject({ limit: 'bytes', kind: 'soft' });
    expect(sender.quota.totals).toEqual({ calls: 0, bytes: 600, lines: 0 });
  });
});
