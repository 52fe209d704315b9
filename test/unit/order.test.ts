import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OrderInput, orderModules } from '../../runtime/modules/order.ts';

function module(name: string, more: Partial<OrderInput> & { prefix?: string } = {}): OrderInput {
  const { prefix = `/api/v1/${name}`, ...rest } = more;
  return {
    module_name: name,
    module_version: '1.2.0',
    enabled: true,
    priority: 1,
    dependencies: [],
    optional_dependencies: [],
    api: { prefix },
    ...rest,
  };
}

const order = (...modules: OrderInput[]) => orderModules(modules).order;
const failure = (name: string, ...modules: OrderInput[]) => orderModules(modules).failures.get(name);

describe('the order', () => {
  test('is by priority, then by name', () => {
    expect(order(module('b1'), module('a1'), module('z1', { priority: 0 }))).toEqual(['z1', 'a1', 'b1']);
  });

  test('puts dependencies first, whatever their priority', () => {
    expect(order(module('a1', { dependencies: ['b1@^1.1'], priority: 0 }), module('b1', { priority: 9 }))).toEqual([
      'b1',
      'a1',
    ]);
  });

  test('puts optional dependencies first when they are there and fit', () => {
    expect(order(module('a1', { optional_dependencies: ['b1', 'gone'] }), module('b1'))).toEqual(['b1', 'a1']);
    expect(order(module('a1', { optional_dependencies: ['b1@^2'] }), module('b1'))).toEqual(['a1', 'b1']);
  });

  test('an optional circle is no failure', () => {
    const { order, failures } = orderModules([
      module('a1', { optional_dependencies: ['b1', 'a1'] }),
      module('b1', { optional_dependencies: ['a1'] }),
    ]);
    expect([order, failures.size]).toEqual([['b1', 'a1'], 0]);
  });

  test('leaves out what is not enabled', () => {
    const { order, failures } = orderModules([module('a1', { enabled: false }), module('b1')]);
    expect([order, failures.size]).toEqual([['b1'], 0]);
  });
});

describe('of two modules that want the same paths', () => {
  const since = (name: string): number => ({ old: 1, young: 2 })[name] ?? 0;

  test('the one that was there first has them, whatever the other says of itself', () => {
    const modules = [module('young', { prefix: '/api/v1/x', priority: 0 }), module('old', { prefix: '/api/v1/x' })];
    const { order, failures } = orderModules(modules, since);
    expect(order).toEqual(['old']);
    expect(failures.get('young')).toBe('The api.prefix /api/v1/x is taken by old, which was there first.');
  });

  test('the one of the folder has them, and who needs the other fails with it', () => {
    const modules = [
      module('old', { prefix: '/api/v1/x/y', priority: 0 }),
      module('folder', { prefix: '/api/v1/x', priority: 9 }),
      module('needs', { dependencies: ['old'] }),
    ];
    const { order, failures } = orderModules(modules, since);
    expect([order, [...failures.keys()].sort()]).toEqual([['folder'], ['needs', 'old']]);
  });

  test('dependencies still load first', () => {
    const modules = [module('old', { dependencies: ['young'] }), module('young')];
    expect(orderModules(modules, since).order).toEqual(['young', 'old']);
  });
});

describe('a module fails', () => {
  test('without its dependency, and takes its dependents along with the chain', () => {
    const modules = [module('a1', { dependencies: ['b1'] }), module('b1', { dependencies: ['c1'] }), module('d1')];
    expect(failure('b1', ...modules)).toBe('b1 → c1: no module has the name c1.');
    expect(failure('a1', ...modules)).toBe('a1 → b1 → c1: no module has the name c1.');
    expect(order(...modules)).toEqual(['d1']);
  });

  test('with a wrong version of its dependency', () => {
    expect(failure('a1', module('a1', { dependencies: ['b1@^2.0'] }), module('b1'))).toBe(
      'a1 → b1: version ^2.0 is needed, 1.2.0 is there.',
    );
  });

  test('when its dependency is not enabled', () => {
    expect(failure('a1', module('a1', { dependencies: ['b1'] }), module('b1', { enabled: false }))).toBe(
      'a1 → b1: b1 is not enabled.',
    );
  });

  test('in a circle, which is shown', () => {
    const modules = [
      module('a1', { dependencies: ['b1'] }),
      module('b1', { dependencies: ['c1'] }),
      module('c1', { dependencies: ['a1'] }),
      module('d1', { dependencies: ['a1'] }),
    ];
    expect(failure('a1', ...modules)).toBe('The dependencies go in a circle: a1 → b1 → c1 → a1.');
    expect(failure('d1', ...modules)).toBe('d1 → a1: The dependencies go in a circle: a1 → b1 → c1 → a1.');
    expect(failure('a1', module('a1', { dependencies: ['a1'] }))).toBe('The dependencies go in a circle: a1 → a1.');
  });

  test('when an earlier one has its prefix, or one above or below it', () => {
    const first = module('a1', { prefix: '/api/v1/x' });
    expect(failure('b1', module('b1', { prefix: '/api/v1/x' }), first)).toBe(
      'The api.prefix /api/v1/x is taken by a1, which loads first.',
    );
    expect(failure('b1', module('b1', { prefix: '/api/v1/x/y' }), first)).toMatch(/clashes with \/api\/v1\/x of a1/);
    expect(failure('b1', module('b1', { prefix: '/api/v1' }), first)).toMatch(/clashes with/);
    expect(failure('b1', module('b1', { prefix: '/api/v1/xy' }), first)).toBeUndefined();
  });

  test('a clash takes dependents along', () => {
    const modules = [
      module('a1', { prefix: '/api/x' }),
      module('b1', { prefix: '/api/x' }),
      module('c1', { dependencies: ['b1'] }),
    ];
    expect(failure('c1', ...modules)).toMatch(/^c1 → b1: The api\.prefix/);
    expect(order(...modules)).toEqual(['a1']);
  });
});

describe('for every set of modules', () => {
  const names = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6'];
  const range = fc.constantFrom('', '@^1', '@^2', '@>=1.2');
  const dependency = fc.tuple(fc.constantFrom(...names, 'gone'), range).map((parts) => parts.join(''));
  const some = (maxLength: number) => fc.array(dependency, { maxLength });
  const modules = fc
    .uniqueArray(
      fc.record({
        name: fc.constantFrom(...names),
        version: fc.constantFrom('1.0.0', '1.2.0', '2.0.0'),
        enabled: fc.constantFrom(true, true, true, false),
        priority: fc.nat(3),
        dependencies: some(2),
        optional: some(3),
        prefix: fc.constantFrom('/api/a', '/api/b', '/api/a/c', '/api/d', '/api/e', '/api/f'),
      }),
      { selector: ({ name }) => name },
    )
    .map((drafts) =>
      drafts.map(({ name, version, optional, ...rest }) =>
        module(name, { ...rest, module_version: version, optional_dependencies: optional }),
      ),
    );

  test('each enabled one either loads after its dependencies, or has a reason', () => {
    fc.assert(
      fc.property(modules, (given) => {
        const { order, failures } = orderModules(given);
        expect([...order, ...failures.keys()].sort()).toEqual(
          given
            .filter(({ enabled }) => enabled)
            .map((one) => one.module_name)
            .sort(),
        );
        for (const one of given.filter(({ module_name }) => order.includes(module_name))) {
          for (const text of one.dependencies) {
            const at = order.indexOf(text.split('@')[0] ?? '');
            expect(at).toBeGreaterThanOrEqual(0);
            expect(at).toBeLessThan(order.indexOf(one.module_name));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the answer does not depend on the order they were found in', () => {
    fc.assert(
      fc.property(modules, fc.nat(6), (given, by) => {
        const turned = [...given.slice(by), ...given.slice(0, by)].reverse();
        expect(orderModules(turned).order).toEqual(orderModules(given).order);
        expect([...orderModules(turned).failures.keys()].sort()).toEqual(
          [...orderModules(given).failures.keys()].sort(),
        );
      }),
    );
  });

  test('no two that load have clashing prefixes', () => {
    fc.assert(
      fc.property(modules, (given) => {
        const { order } = orderModules(given);
        const prefixes = order.map((name) => `${given.find((one) => one.module_name === name)?.api.prefix}/`);
        for (const one of prefixes) expect(prefixes.filter((other) => other.startsWith(one))).toEqual([one]);
      }),
    );
  });
});
