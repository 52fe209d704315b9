import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathProblem } from '../../runtime/invocation/declared-path.ts';
import { findEndpointProblems, planEndpoint } from '../../runtime/invocation/plan.ts';
import { createRoutes } from '../../runtime/invocation/routes.ts';
import { createSchemaBudget } from '../../runtime/policy/schema.ts';
import { fakeModule } from '../support/fake-modules.ts';

function routesFor(paths: readonly string[]) {
  const { manifest, declaration } = fakeModule({
    endpoints: Object.fromEntries(paths.map((path) => [`GET ${path}`, {}])),
  });
  const facts = {
    manifest,
    budget: createSchemaBudget(),
    cacheScope: '',
    limits: { maxTimeoutMs: 1000, bodyBytes: 1000 },
  };
  return createRoutes(declaration.endpoints.map((endpoint) => planEndpoint(endpoint, facts)));
}

/** What the declaration says, spelt out: the first path whose segments fit. */
function expected(paths: readonly string[], asked: string): string | undefined {
  const segments = asked.split('/').slice(1);
  return paths.find((path) => {
    const declared = path.split('/').slice(1);
    const rest = declared.at(-1) === '*';
    const fixed = rest ? declared.slice(0, -1) : declared;
    if (rest ? segments.length < fixed.length : segments.length !== fixed.length) return false;
    return fixed.every((segment, index) =>
      segment.startsWith(':') ? segments[index] !== '' : segment === segments[index],
    );
  });
}

describe('the routes of a module', () => {
  it('are found as they were declared, the first that fits', () => {
    const literal = fc.constantFrom('a', 'b', 'a.b', '@1', '@0', '(x)', 'a+', '$', '~', '=');
    const declared = fc
      .tuple(
        fc.array(fc.oneof(literal, fc.constantFrom(':x', ':y', ':z')), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
      )
      .map(([segments, rest]) => `/${[...segments, ...(rest ? ['*'] : [])].join('/')}`)
      .filter((path) => pathProblem(path) === undefined);
    const asked = fc
      .array(fc.oneof(literal, fc.constantFrom('c', 'ab', 'axb', '1')), { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(declared, { minLength: 1, maxLength: 5 }), asked, (paths, path) => {
        expect(routesFor(paths).find('GET', path)?.plan.path).toBe(expected(paths, path));
      }),
      { numRuns: 1500 },
    );
  });

  it('keep literal characters literal', () => {
    const routes = routesFor(['/a.b/:id', '/x@1/:id', '/(y)/:id']);
    expect(routes.find('GET', '/aXb/5')).toBeUndefined();
    expect(routes.find('GET', '/x@1/5')?.params).toEqual({ id: '5' });
    expect(routes.find('GET', '/(y)/5')?.params).toEqual({ id: '5' });
    expect(routes.find('GET', '/x/5')).toBeUndefined();
  });

  it('know which methods a path has', () => {
    expect(routesFor(['/a']).allowedMethods('/a')).toEqual(['GET', 'HEAD', 'OPTIONS']);
    expect(routesFor(['/a']).allowedMethods('/b')).toEqual([]);
    expect(routesFor([]).allowedMethods('/b')).toEqual([]);
  });
});

describe('a declared path', () => {
  it.each(['/', '/a', '/a/', '/:id', '/a/:b_1/*', '/*', '/a.b/~c', '/@me'])('%s is fine', (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each([
    '',
    'a',
    '//',
    '/a//b',
    '/a/../b',
    '/./a',
    '/a*',
    '/*/a',
    '/a/:',
    '/:a:b',
    '/a:b',
    '/:__proto__',
    '/:a/:a',
    '/{x}',
    '/a?',
    '/%61',
    '/:1',
  ])('%s is refused', (path) => expect(pathProblem(path)).toBeTypeOf('string'));
});

describe('problems of a declaration', () => {
  it('are all found before the module is called', () => {
    const { manifest, declaration } = fakeModule({
      endpoints: {
        'GET /ok': {},
        'GET /:a:b': {},
        'POST /x': { schemas: { body: { $ref: 'http://x' }, query: { if: true } } },
      },
    });
    expect(findEndpointProblems(declaration.endpoints, manifest)).toEqual([
      expect.stringContaining('GET /:a:b: the path has the parameter'),
      expect.stringMatching(
        /POST \/x: schema query\/if is not a supported keyword.*POST \/x: schema body\/\$ref must name/,
      ),
    ]);
  });
});
