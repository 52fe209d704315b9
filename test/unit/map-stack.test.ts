import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapStack } from '../../runtime/observability/map-stack.ts';

const MAP = JSON.stringify({ version: 3, sources: ['module.ts'], names: [], mappings: 'AAAA;AACA' });

describe('a stack of a module', () => {
  it('is said in the author’s files', () => {
    expect(mapStack('Error: x\n    at f (module.js:2:1)', MAP)).toBe('Error: x\n    at f (module.ts:2:1)');
  });

  it.each(['module.js:0:0', 'module.js:1:0', 'module.js:99999999999999999999:1', 'module.js:-1:-1'])(
    'stays as it is where its positions are invented: %s',
    (stack) => {
      expect(mapStack(stack, MAP)).toBe(stack);
    },
  );

  it('never makes the host throw, whatever stack and map say', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(),
        fc.integer(),
        fc.oneof(fc.string(), fc.constant(MAP)),
        (text, line, column, map) => {
          expect(typeof mapStack(`${text} module.js:${line}:${column}`, map)).toBe('string');
        },
      ),
    );
  });
});
