import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { bundleModule } from '../../runtime/modules/bundle.ts';
import { BundleError, type BundleIssue } from '../../runtime/modules/bundle-error.ts';
import { tempFolder } from '../support/temp-folder.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/modules');

async function issuesOf(folder: string): Promise<readonly BundleIssue[]> {
  const error = await bundleModule({ folder, name: 'probe' }).then(
    () => expect.fail('the bundle was made'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof BundleError)) throw error;
  return error.issues;
}

/** The first issue of a module.ts with this text. */
async function refusal(source: string, more: Record<string, string> = {}): Promise<BundleIssue> {
  const [issue] = await issuesOf(tempFolder({ 'module.ts': source, ...more }));
  return issue ?? expect.fail('no issue');
}

/** Makes the bundle and runs it as the host does. */
async function run(files: Record<string, string>, sdk: object = {}): Promise<Record<string, unknown>> {
  const { code } = await bundleModule({ folder: tempFolder(files), name: 'probe' });
  return compileFunction(code, ['sdk'])(sdk);
}

describe('a bundle', () => {
  test('is a function body that returns the exports, with decorators lowered and their metadata kept', async () => {
    const { code, inputs } = await bundleModule({ folder: join(FIXTURES, 'good-weather'), name: 'weather' });
    const seen: unknown[] = [];
    const moduleEndpoint = (route: string) => (_: unknown, context: DecoratorContext) => {
      context.metadata[route] = context.name;
    };
    const Type = { Object: (value: unknown) => seen.push(value), String: () => 'text' };
    const exports = compileFunction(code, ['sdk'])({ BaseModule: class {}, moduleEndpoint, Type });
    expect(exports.default[Symbol.for('Symbol.metadata')]).toEqual({ 'GET /weather/:city': 'getWeather' });
    await expect(new exports.default().getWeather({ params: { city: 'Oslo' } })).resolves.toEqual({
      text: 'It rains in Oslo.',
    });
    expect([...inputs].sort()).toEqual(['api/describe.ts', 'module.ts']);
  });

  test('is the same for the same files, wherever they lie', async () => {
    const files = { 'module.ts': 'export default class {}', 'api/x.ts': 'export const x = 1;' };
    const [one, other] = [tempFolder(files), tempFolder(files)];
    const bundles = await Promise.all([one, other].map((folder) => bundleModule({ folder, name: 'probe' })));
    expect(bundles[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(bundles[0]).toEqual(bundles[1]);
    expect(JSON.stringify(bundles[0])).not.toContain(one);
  });

  test('is strict, and sees no name of its own wrapping', async () => {
    const exports = await run({
      'module.ts': 'const sdk = 5; export default (function () { return [this, sdk]; })();',
    });
    expect(exports.default).toEqual([undefined, 5]);
  });

  test('takes every form of import from the sdk, and drops types', async () => {
    const exports = await run(
      {
        'module.ts': `import { anything } from '@plexichat/sdk';
          import * as all from '@plexichat/sdk';
          import type { Nothing } from '@plexichat/sdk';
          import { EndpointContext } from '@plexichat/sdk';
          export default (context?: EndpointContext, more?: Nothing) => [anything, all.other];`,
      },
      { anything: 1, other: 2 },
    );
    expect((exports.default as () => unknown)()).toEqual([1, 2]);
  });

  test('holds npm packages of the module, in CommonJS and ES form, chosen for workers', async () => {
    const exports = await run({
      'module.js': "import a from 'common'; import { b } from 'modern'; export default [a.a, b];",
      'node_modules/common/package.json': '{"name":"common","main":"main.cjs"}',
      'node_modules/common/main.cjs': 'exports.a = typeof global + process.env.NODE_ENV;',
      'node_modules/modern/package.json': '{"exports":{"worker":"./worker.mjs","default":"./node.mjs"}}',
      'node_modules/modern/worker.mjs': 'export const b = "worker";',
      'node_modules/modern/node.mjs': 'import "node:fs"; export const b = "node";',
    });
    expect(exports.default).toEqual(['objectproduction', 'worker']);
  });

  test('imports pages, styles and templates as text', async () => {
    const exports = await run({
      'module.ts':
        "import a from './a.html'; import b from './b.css'; import c from './c.liquid'; export default a + b + c;",
      'a.html': '<h1>//# sourceMappingURL=x</h1>',
      'b.css': '@import "/etc/passwd";',
      'c.liquid': '{{ x }}',
    });
    expect(exports.default).toBe('<h1>//# sourceMappingURL=x</h1>@import "/etc/passwd";{{ x }}');
  });

  test('imports JSON, with and without attributes', async () => {
    const exports = await run({
      'module.ts':
        "import a from './a.json'; import b from './a.json' with { type: 'json' }; export default [a.x, b.x];",
      'a.json': '{"x":1}',
    });
    expect(exports.default).toEqual([1, 1]);
  });

  test('a dynamic import of a file that is known is bundled in', async () => {
    const exports = await run({ 'module.ts': "export default () => import('./a.ts');", 'a.ts': 'export const a = 1;' });
    await expect((exports.default as () => Promise<unknown>)()).resolves.toMatchObject({ a: 1 });
  });

  test('keeps non-ASCII text as escapes', async () => {
    const { code } = await bundleModule({
      folder: tempFolder({ 'module.ts': 'export default "ü\u2028";' }),
      name: 'probe',
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant.
    expect(code).toMatch(/^[\u0000-\u007f]*$/);
  });
});

describe('imports that lead out of the folder', () => {
  test.each([
    ['an absolute path', "import x from '/etc/passwd'; export default x;", /"\/etc\/passwd" is an absolute path/],
    ['a file URL', "import x from 'file:///etc/passwd'; export default x;", /is a URL/],
    ['a data URL', "import x from 'data:text/javascript,export default 1'; export default x;", /is a URL/],
    ['an http URL', "import x from 'https://example.com/x.js'; export default x;", /is a URL/],
    ['require of an absolute path', "module.exports = require('/etc/passwd.json');", /absolute path/],
    ['a known dynamic import', "export default () => import('/etc/passwd');", /absolute path/],
    [
      'the runtime',
      "import x from '@plexichat/runtime/main.ts'; export default x;",
      /allowed are @plexichat\/sdk and @plexichat\/sdk\/kysely/,
    ],
    [
      'an inner part of the sdk',
      "import x from '@plexichat/sdk/testing'; export default x;",
      /allowed are @plexichat\/sdk and @plexichat\/sdk\/kysely/,
    ],
  ])('%s is refused where it is written', async (_, source, message) => {
    const issue = await refusal(source);
    expect(issue.message).toMatch(message);
    expect(issue).toMatchObject({ file: 'module.ts', line: 1 });
    expect(issue.column).toBeGreaterThan(1);
  });

  test('a relative path to a file above is refused, and no host path is told', async () => {
    const outer = tempFolder({
      'secret.json': '{"key":"s3cret"}',
      'mine/module.ts': "import x from '../secret.json';\nexport default x;",
    });
    const [issue] = await issuesOf(join(outer, 'mine'));
    expect(issue).toMatchObject({ file: 'module.ts', line: 1, column: 15 });
    expect(issue?.message).toMatch(/outside of the module’s folder/);
    expect(JSON.stringify(issue)).not.toContain(outer);
    expect(JSON.stringify(issue)).not.toContain('s3cret');
  });

  test('a folder whose name only starts like the module’s is outside', async () => {
    const outer = tempFolder({
      'mine2/x.ts': 'export default 1',
      'mine/module.ts': "export { default } from '../mine2/x.ts';",
    });
    expect((await issuesOf(join(outer, 'mine')))[0]?.message).toMatch(/outside/);
  });

  test('a linked file, a linked directory and a linked package are refused', async () => {
    const outside = tempFolder({ 'x.json': '{"secret":1}', 'index.js': 'module.exports = 1;', 'package.json': '{}' });
    const folder = tempFolder({
      'module.ts': "import './x.json';\nimport './dir/x.json';\nimport 'linked';\nexport default 1;",
    });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(outside, 'x.json'), join(folder, 'x.json'));
    symlinkSync(outside, join(folder, 'dir'));
    symlinkSync(outside, join(folder, 'node_modules/linked'));
    const issues = await issuesOf(folder);
    expect(issues.map(({ line }) => line).sort()).toEqual(expect.arrayContaining([1, 3]));
    expect(issues.every(({ message }) => message.includes('outside'))).toBe(true);
    expect(JSON.stringify(issues)).not.toContain(outside);
  });

  test('a node_modules that is itself a link does not make its target allowed', async () => {
    const outside = tempFolder({ 'pkg/index.js': 'module.exports = "secret";' });
    const folder = tempFolder({ 'module.ts': "import x from 'pkg';\nexport default x;" });
    symlinkSync(outside, join(folder, 'node_modules'));
    expect((await issuesOf(folder))[0]?.message).toMatch(/outside/);
  });

  test('a package.json whose main leads out is refused', async () => {
    const outer = tempFolder({
      'secret.js': 'module.exports = "secret";',
      'mine/module.ts': "import x from 'pkg';\nexport default x;",
      'mine/node_modules/pkg/package.json': '{"main":"../../../secret.js"}',
    });
    expect((await issuesOf(join(outer, 'mine')))[0]?.message).toMatch(/outside/);
  });

  describe('packages that an npm workspace shares', () => {
    const workspace = (declared: object, workspaces: readonly string[] = ['modules/*']) =>
      join(
        tempFolder({
          'package.json': JSON.stringify({ workspaces }),
          'node_modules/shared/package.json': '{"name":"shared","main":"x.js","dependencies":{"deeper":"*"}}',
          'node_modules/shared/x.js': 'exports.x = require("deeper");',
          'node_modules/deeper/package.json': '{"name":"deeper","main":"x.js"}',
          'node_modules/deeper/x.js': 'module.exports = "deep";',
          'node_modules/private/package.json': '{"name":"private","_password":"s3cret"}',
          'node_modules/private/config.json': '{"key":"s3cret"}',
          'modules/mine/package.json': JSON.stringify({ dependencies: declared }),
          'modules/mine/module.ts': "import x from 'shared';\nexport default x;",
          'modules/thief/package.json': JSON.stringify({ dependencies: { shared: '*' } }),
          'modules/thief/module.ts':
            "import a from 'private/package.json';\nimport b from '../../node_modules/private/config.json';\nexport default [a, b];",
        }),
        'modules',
      );

    test('are bundled when the module declares them, with what they need', async () => {
      const { code } = await bundleModule({ folder: join(workspace({ shared: '*' }), 'mine'), name: 'mine' });
      expect(code).toContain('deep');
    });

    test('are refused when the module does not declare them', async () => {
      const [issue] = await issuesOf(join(workspace({}), 'mine'));
      expect(issue?.message).toMatch(/The package shared lies outside .* "dependencies"/);
    });

    test('are refused when the workspace does not list the module', async () => {
      const [issue] = await issuesOf(join(workspace({ shared: '*' }, ['packages/*']), 'mine'));
      expect(issue?.message).toMatch(/an npm workspace that lists the folder/);
    });

    test('are refused to whoever asks for those of others, by name or by path', async () => {
      const issues = await issuesOf(join(workspace({}), 'thief'));
      expect(issues.map(({ line }) => line).sort()).toEqual([1, 2]);
      expect(issues.every(({ message }) => message.includes('The package private lies outside'))).toBe(true);
      expect(JSON.stringify(issues)).not.toContain('s3cret');
    });
  });

  test('sources of more than 15 MB together are refused', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 4 }, (_, at) => [`text${at}.txt`, 'x'.repeat(4 * 1024 * 1024)]),
    );
    const source = Object.keys(files).map((file, at) => `import t${at} from './${file}';`);
    const issue = await refusal(`${source.join('\n')}\nexport default [t0, t1, t2, t3];`, files);
    expect(issue.message).toBe('The imported files have more than 15 MB.');
  });

  test('a tsconfig with paths or extends has no effect', async () => {
    const outer = tempFolder({
      'secret.ts': 'export default "secret";',
      'mine/tsconfig.json':
        '{"extends":"/etc/passwd","compilerOptions":{"paths":{"secret":["../secret.ts"]},"baseUrl":"/etc"}}',
      'mine/module.ts': "import x from 'secret';\nexport default x;",
    });
    expect(await issuesOf(join(outer, 'mine'))).toEqual([
      {
        file: 'module.ts',
        line: 1,
        column: 15,
        message: '"secret" was not found; install the package, or mend the path.',
      },
    ]);
  });

  test('a link to a device as package.json is refused before anything reads it', async () => {
    const folder = tempFolder({ 'module.ts': 'export default 1;' });
    symlinkSync('/dev/zero', join(folder, 'package.json'));
    expect((await issuesOf(folder))[0]).toMatchObject({
      file: 'package.json',
      message: expect.stringMatching(/ordinary file/),
    });
  });

  test('a pipe is refused instead of waited for', async () => {
    const folder = tempFolder({ 'module.ts': "import x from './pipe.txt'; export default x;" });
    execFileSync('mkfifo', [join(folder, 'pipe.txt')]);
    expect((await issuesOf(folder))[0]?.file).toBe('module.ts');
  });

  test('an entry that is a link is no entry', async () => {
    const outside = tempFolder({ 'module.ts': 'export default 1;' });
    const folder = tempFolder();
    symlinkSync(join(outside, 'module.ts'), join(folder, 'module.ts'));
    expect((await issuesOf(folder))[0]?.message).toMatch(
      /no module file; allowed are module.ts, module.js, module.mjs/,
    );
  });

  test.each(['//#', '//@', '/*#'])('source maps that a file names with %s are not read', async (start) => {
    const folder = tempFolder({ 'module.js': `export default 1;\n${start} sourceMappingURL=/etc/passwd\n/**/` });
    const { map, warnings } = await bundleModule({ folder, name: 'probe' });
    expect(map).not.toContain('root:');
    expect(JSON.stringify(warnings)).not.toContain('root:');
  });
});

describe('names that are only known at run time', () => {
  const files = { 'secret.json': '{"key":"s3cret"}', 'mine/data/a.json': '{"x":1}' };
  const enumerated = "enum Up { a = '..' }\nexport default (x) => import('./' + Up.a + '/' + x + '.json');";

  test.each([
    ["export default (x) => require('../' + x + '.json');"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is code.
    ['export default (x) => import(`../${x}.json`);'],
    ["export default (x) => import(/* .. */ './data/../../' + x + '.json');"],
    ["export default (x) => import('\\x2e./' + x + '.json');"],
    ["export default (x) => requir\\u0065('../' + x + '.json');"],
    ["export default (x) => require.resolve('../' + x + '.json');"],
    ["export default (x) => import('.' + './' + x + '.json');"],
    [enumerated],
  ])('may not climb: %s', async (source) => {
    const [issue] = await issuesOf(join(tempFolder({ ...files, 'mine/module.ts': source }), 'mine'));
    expect(issue?.file).toBe('module.ts');
    expect(issue?.message).toMatch(/may not contain "\.\."/);
  });

  test('may stay in the folder', async () => {
    const exports = await run({
      ...files,
      'module.ts': "export default (x: string) => import('./mine/data/' + x + '.json');",
    });
    await expect((exports.default as (x: string) => unknown)('a')).resolves.toMatchObject({ x: 1 });
  });
});

describe('what a module cannot use', () => {
  test.each([
    ["export * from 'node:fs';", 'node:fs', /this\.files/],
    ["export * from 'fs';", 'fs', /this\.files/],
    ["import 'fs/promises';", 'fs/promises', /this\.files/],
    ["export { request } from 'node:http';", 'node:http', /this\.http\.fetch/],
    ["import * as all from 'worker_threads'; export { all };", 'worker_threads', /no processes or threads/],
    ["import 'node:unheard-of';", 'node:unheard-of', /BaseModule/],
    ["const x = require('child_process');", 'child_process', /no processes/],
  ])('%s is refused with what to use instead', async (source, name, instead) => {
    const issue = await refusal(`\n${source}\nexport default 1;`);
    expect(issue).toMatchObject({ file: 'module.ts', line: 2 });
    expect(issue.message).toContain(`"${name}" belongs to Node`);
    expect(issue.message).toMatch(instead);
  });

  test.each([
    [
      'import() of what only run time knows',
      'const name = "x" + 1;\nexport default () => import(name);',
      /import\(\) is not possible/,
      2,
    ],
    ['import.meta', 'const a = 1;\nexport default import.meta.url;', /import\.meta is not available/, 2],
    ['top-level await', 'const a = 1;\nawait a;\nexport default a;', /Top-level await is not possible/, 2],
    ['import.defer', 'export default () => import.defer("x");', /./, 1],
    ['import.source', 'export default () => import.source("x");', /./, 1],
    ['a native of V8', 'export default () => %DebugPrint(1);', /./, 1],
    ['a syntax error', 'export default {', /./, 1],
  ])('%s is refused in the author’s line', async (_, source, message, line) => {
    const issue = await refusal(source);
    expect(issue.message).toMatch(message);
    expect(issue).toMatchObject({ file: 'module.ts', line });
  });

  test('import() in a package is found in the package', async () => {
    const issue = await refusal("import 'pkg'; export default 1;", {
      'node_modules/pkg/index.js': 'const x = globalThis.x;\nmodule.exports = () => import(x);',
    });
    expect(issue).toMatchObject({ file: 'node_modules/pkg/index.js', line: 2 });
  });

  test('"with" is refused, in a script as well', async () => {
    const issue = await refusal("import './old.cjs'; export default 1;", {
      'old.cjs': 'with (Math) { exports.x = PI; }',
    });
    expect(issue.message).toMatch(/with/i);
  });

  test('files of other types are refused with the allowed ones', async () => {
    const issue = await refusal("import x from './addon.node'; export default x;", { 'addon.node': '\u007fELF' });
    expect(issue.message).toMatch(/type "\.node" cannot be imported; allowed are \.ts .*\.liquid/);
  });

  test('an attribute that turns a file into bytes is refused', async () => {
    const issue = await refusal("import x from './a.ts' with { type: 'text' }; export default x;", { 'a.ts': '' });
    expect(issue.message).toMatch(/attribute/);
  });

  test('all issues come at once', async () => {
    const folder = tempFolder({
      'module.ts': "import 'node:fs';\nimport '/etc/passwd';\nimport 'nowhere';\nexport default 1;",
    });
    expect((await issuesOf(folder)).map(({ line }) => line).sort()).toEqual([1, 2, 3]);
  });

  test('a bundle over 5 MB is refused with its size', async () => {
    const folder = tempFolder({
      'module.ts': "import t from './big.txt'; import u from './big2.txt'; export default t + u;",
    });
    writeFileSync(join(folder, 'big.txt'), 'x'.repeat(3_000_000));
    writeFileSync(join(folder, 'big2.txt'), 'y'.repeat(3_000_000));
    expect((await issuesOf(folder))[0]?.message).toMatch(/5\.7 MB; allowed are 5 MB/);
  });

  test('code that nests too deeply is refused', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['x(', ')'],
    ] as const) {
      const issue = await refusal(`export default ${open.repeat(20_000)}x${close.repeat(20_000)};`);
      expect(issue.message).toMatch(/nest|stack/i);
    }
  });

  test('a folder that does not exist is named by its module only', async () => {
    const [issue] = await issuesOf('/nowhere/at/all');
    expect(issue?.message).toBe('The folder of probe does not exist.');
  });
});
