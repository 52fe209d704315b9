import { describe, expect, it } from 'vitest';
import { SOFT_MEMORY_MS, SoftLimits, YOUNG_MS } from '../../runtime/cells/soft-limits.ts';

const MB = 1024 * 1024;
const reading = (more: Partial<Record<'heapBytes' | 'externalBytes' | 'delayMs', number>>) => ({
  channel: 1,
  cpuMs: 0,
  heapBytes: 0,
  externalBytes: 0,
  delayMs: 0,
  ...more,
});

describe('memory over its soft limit', () => {
  it.each(['heap', 'external'] as const)('of the kind %s counts when it never falls below it for a while', (limit) => {
    const limits = new SoftLimits(64, 0);
    const full = reading({ [`${limit}Bytes`]: 60 * MB });
    expect(limits.look(full, YOUNG_MS)).toBeUndefined();
    expect(limits.look(full, YOUNG_MS + SOFT_MEMORY_MS - 1)).toBeUndefined();
    expect(limits.look(full, YOUNG_MS + SOFT_MEMORY_MS)).toEqual({
      limit,
      kind: 'soft',
      detail: '60 MB of 64 MB for 10 s',
    });
  });

  it('is forgotten once a collection brings it below', () => {
    const limits = new SoftLimits(64, 0);
    limits.look(reading({ heapBytes: 60 * MB }), YOUNG_MS);
    limits.look(reading({ heapBytes: 50 * MB }), YOUNG_MS + 5_000);
    expect(limits.look(reading({ heapBytes: 60 * MB }), YOUNG_MS + SOFT_MEMORY_MS)).toBeUndefined();
  });

  it('is no reason to replace what has just booted: the next one would have it too', () => {
    const limits = new SoftLimits(64, 0);
    limits.look(reading({ heapBytes: 60 * MB }), 0);
    expect(limits.look(reading({ heapBytes: 60 * MB }), YOUNG_MS - 1)).toBeUndefined();
  });
});

describe('an event loop that does not turn', () => {
  it.each([
    [4_000, undefined],
    [6_000, 'soft'],
    [301_000, 'hard'],
  ])('for %i ms is %s', (delayMs, kind) => {
    expect(new SoftLimits(64, 0).look(reading({ delayMs }), 1)?.kind).toBe(kind);
  });
});
