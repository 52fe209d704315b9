/** `plexi pack`, `sign` and `verify`, as their users run them. */
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createChores } from '../../runtime/modules/chores.ts';
import { bytesOf, packageRoom } from '../support/package-room.ts';
import { plexi } from '../support/plexi.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startTestHost } from '../support/test-host.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULE = {
  'config.yaml': 'module_name: probe\nmodule_version: 1.0.0\n',
  'module.ts':
    "import { BaseModule } from '@plexichat/sdk';\nimport { one } from './api/one.ts';\nexport default class extends BaseModule { number = one as number; }\n",
  'api/one.ts': 'export const one = 1;\n',
  'webui/templates/index.html': '<p>{{ name }}</p>\n',
  'README.md': '# Probe\n',
  'tests/probe.test.ts': 'not part of it',
  'package.json': '{}',
};

const SERVED = {
  ...MODULE,
  'module.ts': `import { BaseModule, type EndpointContext, moduleEndpoint, Type } from '@plexichat/sdk';
import { one } from './api/one.ts';
export default class Probe extends BaseModule {
  @moduleEndpoint('GET /add/:number', { params: Type.Object({ number: Type.Integer() }) })
  add({ params }: EndpointContext<{ params: { number: number } }>) {
    return { sum: params.number + one };
  }
}
`,
};

async function packModule(files: Readonly<Record<string, string>> = MODULE) {
  const folder = tempFolder(files);
  const file = join(tempFolder(), 'probe.zip');
  return { folder, file, run: await plexi('pack', folder, '-o', file, '--json') };
}

describe('plexi pack', () => {
  test('writes what a host runs, and nothing else', async () => {
    const { file, run } = await packModule();
    expect(run).toMatchObject({ code: 0, errors: '' });
    const paths = [
      'README.md',
      'config.yaml',
      'integrity.json',
      'module.js',
      'module.js.map',
      'webui/templates/index.html',
    ];
    const facts = JSON.parse(run.output);
    expect(facts).toMatchObject({ file, name: 'probe', version: '1.0.0', bytes: statSync(file).size });
    expect([...facts.files].sort()).toEqual(paths);
  });

  test('gives the same bytes for the same folder, wherever it lies', async () => {
    const [one, two] = [await packModule(), await packModule()];
    expect(readFileSync(one.file).equals(readFileSync(two.file))).toBe(true);
  });

  test('makes a module that a host bundles into one that does the same', async () => {
    const { store } = await packageRoom();
    const { file } = await packModule();
    const at = await store.commit(await store.stage(bytesOf(readFileSync(file))));
    const chores = createChores();
    const { code } = await chores.bundle(at, 'probe').finally(() => chores.close());
    // As the host compiles it, with a stand-in for the sdk.
    const exported = new Function('sdk', code)({ BaseModule: class {} });
    expect(new exported.default().number).toBe(1);
  });

  test('makes a module that runs in a host', { timeout: 60_000 }, async () => {
    const { store } = await packageRoom();
    const { file } = await packModule(SERVED);
    const { folder } = await store.stage(bytesOf(readFileSync(file)));
    const files = Object.fromEntries(
      ['config.yaml', 'module.js'].map((path) => [`probe/${path}`, readFileSync(join(folder, path), 'utf8')]),
    );
    const at = await startTestHost({ files });
    onTestFinished(() => at.close());
    const answer = await at.fetch('/api/v1/probe/add/2');
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { sum: 3 } });
    expect((await at.fetch('/api/v1/probe/add/two')).status).toBe(422);
  });

  test.each(['weather', 'notes', 'translator'])('packs the example %s', { timeout: 60_000 }, async (name) => {
    const file = join(tempFolder(), 'example.zip');
    expect(await plexi('pack', join(ROOT, 'examples', name), '-o', file)).toMatchObject({ code: 0, errors: '' });
    expect((await plexi('verify', file)).errors).toMatch(/is whole, but nobody signed it/);
  });

  test('leaves hidden files out and says so', async () => {
    const { run } = await packModule({ ...MODULE, 'webui/.DS_Store': 'x' });
    expect(run).toMatchObject({ code: 0, errors: 'webui/.DS_Store: left out, since its name starts with a dot\n' });
  });

  test.each([
    ['config.yaml that is wrong', { 'config.yaml': 'module_name: Probe\n' }, /config\.yaml:1:14 module_name/],
    ['code that is forbidden', { 'module.ts': "import 'node:fs';\nexport default 1;" }, /module\.ts:1:8: .*node:fs/],
    ['a native addon', { 'webui/static/a.node': 'x' }, /webui\/static\/a\.node: .*native addon/],
    ['names that clash', { 'webui/a.txt': 'x', 'webui/A.txt': 'x' }, /one name on some disks/],
    ['a name for no file', { 'webui/con.txt': 'x' }, /device/],
  ])('refuses %s, as a host would, and writes nothing', async (_, files, reason) => {
    const { file, run } = await packModule({ ...MODULE, ...files });
    expect(run.code).toBe(1);
    expect(run.errors).toMatch(reason);
    expect(readdirSync(join(file, '..'))).toEqual([]);
  });

  test('refuses links', async () => {
    const folder = tempFolder(MODULE);
    symlinkSync('/etc/hostname', join(folder, 'webui/a.txt'));
    const run = await plexi('pack', folder, '-o', join(folder, 'out.zip'));
    expect(run).toMatchObject({ code: 1, errors: expect.stringMatching(/webui\/a\.txt: it is a link/) });
  });
});

describe('plexi sign and plexi verify', () => {
  test('make a key, sign with it, and know it again', async () => {
    const { file } = await packModule();
    const key = join(file, '../publisher.key');
    const made = JSON.parse((await plexi('sign', '--new-key', key, '--json')).output);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect((await plexi('sign', file, '--key', key)).output).toContain(`signed by ${made.publisher}`);
    const verified = await plexi('verify', file, '--publisher', made.publisher, '--json');
    expect(JSON.parse(verified.output)).toMatchObject({ name: 'probe', version: '1.0.0', publisher: made.publisher });
    expect((await plexi('verify', file)).output).toContain(made.publisher);
    const other = await plexi('verify', file, '--publisher', `${'A'.repeat(43)}=`);
    expect(other).toMatchObject({ code: 1, errors: expect.stringMatching(/is signed by .*, not by A+=/) });
    const { store } = await packageRoom();
    expect((await store.stage(bytesOf(readFileSync(file)))).publisher).toBe(made.publisher);
  });

  test('give the same bytes for the same package and key, signed once or twice', async () => {
    const { file } = await packModule();
    const key = join(file, '../publisher.key');
    await plexi('sign', '--new-key', key);
    await plexi('sign', file, '--key', key);
    const once = readFileSync(file);
    await plexi('sign', file, '--key', key);
    expect(readFileSync(file).equals(once)).toBe(true);
  });

  test('see a package that was changed after it was signed', async () => {
    const { file } = await packModule();
    const key = join(file, '../publisher.key');
    await plexi('sign', '--new-key', key);
    await plexi('sign', file, '--key', key);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
    writeFileSync(file, bytes);
    expect(await plexi('verify', file)).toMatchObject({ code: 1, output: '' });
  });

  test('refuse what cannot be done', async () => {
    const { file } = await packModule();
    const key = join(file, '../publisher.key');
    const source = join(file, '../source.zip');
    writeFileSync(source, 'no zip');
    await plexi('sign', '--new-key', key);
    expect(await plexi('sign', '--new-key', key)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/left alone/),
    });
    expect(await plexi('sign', source, '--key', key)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/no ZIP/),
    });
    expect(await plexi('sign', file, '--key', file)).toMatchObject({ code: 1 });
    chmodSync(key, 0o644);
    expect(await plexi('sign', file, '--key', key)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/chmod 600/),
    });
    expect(await plexi('verify', `${file}.nope`)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/no such file/),
    });
    for (const args of [
      ['sign'],
      ['sign', file],
      ['verify'],
      ['pack'],
      ['sign', file, '--key', key, '--new-key', 'x'],
    ]) {
      expect((await plexi(...args)).code, args.join(' ')).toBe(2);
    }
    for (const command of ['pack', 'sign', 'verify']) {
      expect((await plexi(command, '--help')).output).toContain(`$ plexi ${command}`);
    }
  });
});
