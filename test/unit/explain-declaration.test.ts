import { describe, expect, it } from 'vitest';
import { explainDeclaration } from '../../runtime/cells/explain-declaration.ts';
import { startCpuClock } from '../support/cpu-time.ts';

const declaring = (endpoints: unknown): unknown => ({
  ok: true,
  declaration: { endpoints, tasks: [], events: [], pages: [] },
});

describe('a declaration that is not valid', () => {
  it('is explained with the place of its fault', () => {
    expect(explainDeclaration(declaring('all'))).toContain('endpoints');
  });

  it.each([
    ['of a million endpoints', declaring(Array.from({ length: 1_000_000 }, () => ({})))],
    ['of many keys', declaring([Object.fromEntries(Array.from({ length: 200_000 }, (_value, key) => [`k${key}`, 1]))])],
    ['of parts in parts', declaring(Array.from({ length: 500 }, () => Array.from({ length: 500 }, () => [])))],
  ])('%s is refused at once: nobody walks it', (_name, answer) => {
    const cpuMs = startCpuClock();
    expect(explainDeclaration(answer)).toBe('it has more than 20000 parts');
    expect(cpuMs()).toBeLessThan(1000);
  });
});
