import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCheckRun } from '../../runtime/policy/check.ts';
import { compileConversion } from '../../runtime/policy/convert.ts';
import { compileDefaults } from '../../runtime/policy/defaults.ts';
import { canonicalSearch, parseQuery } from '../../runtime/policy/query.ts';
import { readSchema } from '../../runtime/policy/schema.ts';

const convert = (properties: object, raw: Record<string, string | string[]>) => ({
  ...compileConversion(readSchema({ type: 'object', properties }))(raw, createCheckRun()),
});

describe('text from a path or query', () => {
  it('gets the types of the schema', () => {
    const properties = {
      count: { type: 'integer' },
      ratio: { type: 'number' },
      on: { type: 'boolean' },
      name: { type: 'string' },
      tags: { type: 'array', items: { type: 'integer' } },
    };
    const raw = { count: '5', ratio: '-1.5e3', on: 'true', name: '5', tags: ['1', '2'], other: '7' };
    expect(convert(properties, raw)).toEqual({ count: 5, ratio: -1500, on: true, name: '5', tags: [1, 2], other: '7' });
  });

  it('makes a list of a single value where a list is wanted', () => {
    expect(convert({ tags: { type: 'array', items: { type: 'string' } } }, { tags: 'a' })).toEqual({ tags: ['a'] });
  });

  it('stays text when it does not fit, so that the check can say so', () => {
    const integer = { n: { type: 'integer' } };
    for (const text of ['', ' 1', '1 ', '0x10', '1.5', '1e3', '01', '+1', '99999999999999999', 'NaN', '١']) {
      expect(convert(integer, { n: text })).toEqual({ n: text });
    }
    expect(convert({ on: { type: 'boolean' } }, { on: 'TRUE' })).toEqual({ on: 'TRUE' });
    expect(convert(integer, { n: ['1', '2'] })).toEqual({ n: ['1', '2'] });
  });

  it('looks into unions and constants', () => {
    const properties = { page: { anyOf: [{ type: 'integer' }, { const: 'all' }] }, level: { enum: [1, 2] } };
    expect(convert(properties, { page: '2', level: '1' })).toEqual({ page: 2, level: 1 });
    expect(convert(properties, { page: 'all' })).toEqual({ page: 'all' });
  });

  it('converts any safe integer there and back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(convert({ n: { type: 'integer' } }, { n: String(value) })).toEqual({
          n: Object.is(value, -0) ? 0 : value,
        });
      }),
    );
  });

  it('converts any number there and back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(convert({ n: { type: 'number' } }, { n: JSON.stringify(value) })).toEqual({
          n: JSON.parse(JSON.stringify(value)),
        });
      }),
    );
  });
});

describe('a query string', () => {
  it('is decoded, and repeated names become lists', () => {
    expect({ ...parseQuery('a=1&b=x+y%20z&a=2&c&=d&&a=3') }).toEqual({
      a: ['1', '2', '3'],
      b: 'x y z',
      c: '',
      '': 'd',
    });
  });

  it('has names without meaning', () => {
    expect(parseQuery('constructor=1&toString=2')).toMatchObject({ constructor: '1', toString: '2' });
    expect(() => parseQuery('__proto__=1')).toThrow('not valid');
    expect(() => parseQuery('__proto__[admin]=1&%5F_proto__=1')).toThrow('not valid');
  });

  it.each(['a=%', 'a=%ff', '%zz=1', 'a=1#b', Array(600).fill('a=1').join('&')])('%.20s is refused', (search) => {
    expect(() => parseQuery(search)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('reads back what URLSearchParams writes', () => {
    const entries = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), { maxLength: 10 });
    fc.assert(
      fc.property(entries, (pairs) => {
        fc.pre(pairs.every(([name, value]) => name !== '__proto__' && (name + value).isWellFormed()));
        const written = new URLSearchParams(pairs);
        const read = parseQuery(written.toString());
        for (const [name] of pairs) expect([read[name]].flat()).toEqual(written.getAll(name));
      }),
    );
  });

  it('has one canonical form for each order of names, and keeps the order of a name’s values', () => {
    expect(canonicalSearch('b=1&a=2&a=1')).toBe('a=2&a=1&b=1');
    expect(canonicalSearch('a=2&b=1&a=1')).toBe(canonicalSearch('b=1&a=2&a=1'));
    expect(canonicalSearch('a=1&a=2')).not.toBe(canonicalSearch('a=2&a=1'));
    expect(canonicalSearch('b=1&a=1&%61=2')).not.toBe(canonicalSearch('b=1&%61=2&a=1'));
    expect(canonicalSearch('a+b=1&a=2&a%20b=3')).toBe('a=2&a+b=1&a%20b=3');
  });
});

describe('defaults', () => {
  const fill = (schema: object, value: unknown) => compileDefaults(readSchema(schema))?.(value, createCheckRun());

  it('are filled in on every level, and never over a value', () => {
    const schema = {
      type: 'object',
      properties: {
        limit: { type: 'integer', default: 10 },
        deep: { type: 'object', default: {}, properties: { on: { default: true } } },
        list: { type: 'array', items: { type: 'object', properties: { n: { default: 1 } } } },
      },
    };
    const value = { limit: null, list: [{}, { n: 5 }] };
    expect(fill(schema, value)).toBe(true);
    expect(value).toEqual({ limit: null, deep: { on: true }, list: [{ n: 1 }, { n: 5 }] });
  });

  it('say when nothing was missing, and cost nothing where there are none', () => {
    expect(fill({ properties: { a: { default: 1 } } }, { a: 2 })).toBe(false);
    expect(compileDefaults(readSchema({ properties: { a: { type: 'string' } } }))).toBeUndefined();
  });

  it('cannot reach a prototype', () => {
    const value = {};
    fill(JSON.parse('{"properties": {"__proto__": {"default": {"admin": true}}}}'), value);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('admin' in value).toBe(false);
  });

  it('cannot be blown up', () => {
    const schema = { items: { type: 'object', properties: { a: { default: 'x'.repeat(4000) } } } };
    expect(() =>
      fill(
        schema,
        Array.from({ length: 10_000 }, () => ({})),
      ),
    ).toThrow('too much work');
  });
});
