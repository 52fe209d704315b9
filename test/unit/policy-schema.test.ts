import fc from 'fast-check';
import { Check as referenceCheck } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { createCheckRun, TooMuchWorkError } from '../../runtime/policy/check.ts';
import { compileCheck } from '../../runtime/policy/compile-check.ts';
import { readPattern } from '../../runtime/policy/pattern.ts';
import { createSchemaBudget, readSchema, SchemaRefusedError } from '../../runtime/policy/schema.ts';
import { startCpuClock } from '../support/cpu-time.ts';

function issuesOf(schema: unknown, value: unknown) {
  const run = createCheckRun();
  compileCheck(readSchema(schema))(value, run, '');
  return run.issues;
}

function isValid(schema: unknown, value: unknown): boolean {
  return compileCheck(readSchema(schema))(value, createCheckRun());
}

function problemsOf(schema: unknown): readonly string[] {
  try {
    readSchema(schema);
    return [];
  } catch (error) {
    if (error instanceof SchemaRefusedError) return error.problems;
    throw error;
  }
}

describe('reading a schema', () => {
  it.each([
    ['an unknown keyword', { if: {} }, '/if is not a supported keyword'],
    ['a keyword named like a prototype member', { constructor: 1 }, '/constructor is not a supported keyword'],
    ['a remote reference', { $ref: 'https://evil.example/schema' }, '/$ref must name an entry of the root $defs'],
    ['a circle', { $ref: '#/$defs/a', $defs: { a: { items: { $ref: '#/$defs/a' } } } }, 'refers to itself'],
    ['a made-up type', { type: 'date' }, '/type must be one or more of'],
    ['code where a number belongs', { maxLength: '1) || process.exit(' }, '/maxLength must be a whole number'],
    ['an endless number', { maximum: Number.POSITIVE_INFINITY }, '/maximum must be a number'],
    ['an unknown format', { format: 'regex' }, '/format is not a supported format; supported are date-time'],
    ['look-around', { pattern: '(?=a)b' }, 'no look-around'],
    ['a back-reference', { pattern: '(a)\\1' }, 'no back-references'],
    ['a repeat that is unrolled', { pattern: `(${'ab'.repeat(40)}){1000}` }, 'repeats too much'],
    ['a long pattern', { pattern: 'a'.repeat(600) }, 'at most 512'],
    ['a hostile pattern as a name', { patternProperties: { '(?<=a)b': {} } }, 'is not supported'],
    ['no schema at all', 'string', 'must be an object or a boolean'],
  ])('refuses %s and says where', (_name, schema, expected) => {
    expect(problemsOf(schema).join('\n')).toContain(expected);
  });

  it('refuses what is nested too deep, too large or has too many parts', () => {
    const nested = (depth: number): unknown => (depth === 0 ? {} : { items: nested(depth - 1) });
    expect(problemsOf(nested(40)).join()).toContain('nested deeper than 16 levels');
    expect(problemsOf({ description: 'x'.repeat(70_000) }).join()).toContain('at most 65536');
    const growing = Object.fromEntries(
      Array.from({ length: 7 }, (_, index) => [`n${index}`, { anyOf: Array(4).fill({ $ref: `n${index + 1}` }) }]),
    );
    expect(problemsOf({ $ref: 'n0', $defs: { ...growing, n7: {} } }).join()).toContain('has too many parts');
  });

  it('survives values that are nested deeper than the stack', () => {
    const deep = JSON.parse(`{"enum":[${'['.repeat(30_000)}${']'.repeat(30_000)}]}`);
    expect(problemsOf(deep)).toEqual(['/ is nested too deep']);
  });

  it('lets all schemas of a module draw from one budget', () => {
    const budget = createSchemaBudget();
    const wide = { properties: Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`p${index}`, {}])) };
    expect(() => {
      for (let count = 0; count < 20; count += 1) readSchema(wide, budget);
    }).toThrow('has too many parts');
  });

  it('bounds what is only shown to people, one by one and for the whole module', () => {
    expect(problemsOf({ examples: ['x'.repeat(5000)] }).join()).toContain(
      '/examples has 5004 characters; at most 4096',
    );
    expect(problemsOf({ $comment: 'x'.repeat(5000) }).join()).toContain('/$comment has');
    expect(problemsOf({ description: 'x'.repeat(5000) }).join()).toContain('/description has');
    expect(problemsOf({ default: 'x'.repeat(5000) }).join()).toContain('/default has');
    expect(problemsOf({ const: 'x'.repeat(5000) }).join()).toContain('/const has');
    expect(problemsOf({ enum: [1, 'x'.repeat(5000)] }).join()).toContain('/enum has');
    expect(problemsOf({ $defs: { a: JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) } })).toEqual([
      '/ is nested too deep',
    ]);
    const budget = createSchemaBudget();
    const noted = { $defs: Object.fromEntries(Array.from({ length: 12 }, (_, at) => [at, 'x'.repeat(4000)])) };
    expect(() => {
      for (let count = 0; count < 20; count += 1) readSchema(noted, budget);
    }).toThrow('the schemas of this module are too large together');
  });

  it('lists every problem at once', () => {
    expect(problemsOf({ type: 'nope', minLength: -1, properties: { a: { format: 'x' } } })).toHaveLength(3);
  });

  it('writes references out in place', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/id' }, b: { $ref: 'id' } },
      $defs: { id: { type: 'integer' } },
    };
    expect(isValid(schema, { a: 1, b: 2 })).toBe(true);
    expect(issuesOf(schema, { a: 1, b: 'x' })).toEqual([{ path: '/b', message: 'must be a whole number' }]);
  });
});

describe('checking a value', () => {
  it.each([
    [{ type: 'integer' }, 1.5, 'must be a whole number'],
    [{ type: ['string', 'null'] }, 1, 'must be text or null'],
    [{ type: 'string', maxLength: 3 }, 'four', 'must have at most 3 characters'],
    [{ type: 'string', minLength: 2, maxLength: 3 }, 'x', 'must have 2 to 3 characters'],
    [{ type: 'string', format: 'email' }, 'nobody', 'must be an e-mail address'],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'A', 'must match the pattern ^[a-z]+$'],
    [{ enum: ['a', 'b'] }, 'c', 'must be one of "a" or "b"'],
    [{ const: 5 }, 6, 'must be 5'],
    [{ anyOf: [{ const: 'a' }, { const: 'b' }] }, 'c', 'must be one of "a" or "b"'],
    [
      { anyOf: [{ type: 'integer' }, { type: 'object', required: ['id'] }] },
      'c',
      'must be a whole number or an object with id',
    ],
    [{ minimum: 1 }, 0, 'must be at least 1'],
    [{ multipleOf: 0.1 }, 0.35, 'must be a multiple of 0.1'],
    [{ minItems: 1 }, [], 'must have at least 1 items'],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      'must not have the same item twice',
    ],
    [{ not: {} }, 1, 'has a form that is not allowed'],
  ])('%j refuses %j', (schema, value, message) => {
    expect(issuesOf(schema, value)).toEqual([{ path: '', message }]);
  });

  it('names the place as a JSON Pointer', () => {
    const schema = {
      type: 'object',
      properties: { 'a/b~c': { type: 'array', items: { type: 'string' } } },
      required: ['d'],
    };
    expect(issuesOf(schema, { 'a/b~c': ['x', 1] })).toEqual([
      { path: '/d', message: 'is required' },
      { path: '/a~1b~0c/1', message: 'must be text' },
    ]);
  });

  it('says which names are allowed', () => {
    const schema = { type: 'object', properties: { a: {}, b: {} }, additionalProperties: false };
    expect(issuesOf(schema, { c: 1 })).toEqual([
      { path: '/c', message: 'is not an allowed name; allowed are a and b' },
    ]);
  });

  it('knows own properties only', () => {
    expect(isValid({ type: 'object', required: ['toString'] }, {})).toBe(false);
    expect(isValid({ type: 'object', properties: { valueOf: { type: 'string' } } }, {})).toBe(true);
    const polluting = JSON.parse('{"__proto__": {"admin": true}}');
    expect(isValid({ type: 'object', required: ['admin'] }, polluting)).toBe(false);
    expect(isValid({ type: 'object', properties: {}, additionalProperties: false }, polluting)).toBe(false);
  });

  it('stops at 20 issues', () => {
    expect(issuesOf({ items: { type: 'string' } }, Array(1000).fill(1))).toHaveLength(20);
  });

  it('counts characters as people do', () => {
    expect(isValid({ maxLength: 2 }, '👍👍')).toBe(true);
    expect(isValid({ maxLength: 1 }, '👍👍')).toBe(false);
    expect(isValid({ minLength: 3 }, '👍👍')).toBe(false);
  });

  it('gives up on work that a hostile schema and a hostile value cause together', () => {
    const schema = { items: { anyOf: Array.from({ length: 500 }, (_, index) => ({ const: `v${index}` })) } };
    expect(() => isValid(schema, Array(100_000).fill('v499'))).toThrow(TooMuchWorkError);
  });

  it.each(['anyOf', 'allOf', 'oneOf'])('gives up on many branches of %s for many items', (keyword) => {
    const other = keyword === 'allOf' ? { minimum: 0 } : { type: 'string' };
    const schema = { items: { [keyword]: [...Array(1899).fill(other), { type: 'number' }] } };
    const cpuMs = startCpuClock();
    expect(() => isValid(schema, Array(500_000).fill(1))).toThrow(TooMuchWorkError);
    expect(cpuMs()).toBeLessThan(3000);
  });

  it('agrees with TypeBox on generated schemas and values', () => {
    fc.assert(
      fc.property(schemas, fc.jsonValue({ maxDepth: 3 }), (schema, value) => {
        expect(isValid(schema, value)).toBe(referenceCheck(schema, value));
      }),
      { numRuns: 1500 },
    );
  });
});

describe('patterns', () => {
  it.each(['^(a+)+$', '^(a|a)*$', '(x+x+)+y', '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*$', '(.*)*(.*)*z'])(
    '%s runs in linear time',
    (source) => {
      const pattern = readPattern(source);
      const cpuMs = startCpuClock();
      pattern.test(`${'a'.repeat(30_000)}!`);
      expect(cpuMs()).toBeLessThan(3000);
    },
  );

  it('bound the work of one check, however long the text is', () => {
    const check = compileCheck(readSchema({ pattern: '^(\\p{L}{1,50}[a-z ]{0,50})+$' }));
    const cpuMs = startCpuClock();
    expect(() => check('ab '.repeat(400_000), createCheckRun())).toThrow(TooMuchWorkError);
    expect(cpuMs()).toBeLessThan(3000);
  });

  it.each(['date-time', 'email', 'hostname', 'uri', 'ipv6', 'duration'])(
    'format %s is quick on hostile text',
    (format) => {
      const check = compileCheck(readSchema({ format }));
      const hostile = ['a', '1', 'a.', ':', '"', '[', 'P1Y', '%2'].map((part) => part.repeat(2000).slice(0, 2040));
      const cpuMs = startCpuClock();
      for (const text of hostile) check(`${text}@`, createCheckRun());
      expect(cpuMs()).toBeLessThan(1500);
    },
  );
});

const names = fc.constantFrom('a', 'b', 'toFixed');
const leaves = fc.oneof(
  fc.record({ type: fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object') }),
  fc.record({
    enum: fc.array(fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom('a', 'b', null, true)), { minLength: 1 }),
  }),
  fc.record({ const: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom('a', null)) }),
  fc.record({ minimum: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ exclusiveMaximum: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ minLength: fc.integer({ min: 0, max: 4 }), maxLength: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ pattern: fc.constantFrom('^a', 'b$', '[0-9]') }),
  fc.record({ minItems: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ uniqueItems: fc.boolean() }),
  fc.record({ maxProperties: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ required: fc.uniqueArray(names) }),
  fc.boolean(),
);
const schemas = fc.letrec<{ schema: object | boolean }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaves,
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(names, tie('schema')),
      additionalProperties: tie('schema'),
    }),
    fc.record({
      type: fc.constant('object'),
      patternProperties: fc.dictionary(fc.constantFrom('^a', 'b'), tie('schema')),
    }),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc.record({ prefixItems: fc.array(tie('schema'), { maxLength: 2, minLength: 1 }), items: tie('schema') }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('schema') }),
  ),
})).schema;
