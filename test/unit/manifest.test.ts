import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIssue } from '../../runtime/config/yaml-issue.ts';
import { type ManifestIssue, type ParsedManifest, parseManifest } from '../../runtime/modules/manifest.ts';
import { writeManifestSchema } from '../../runtime/modules/manifest-schema.ts';
import { startCpuClock } from '../support/cpu-time.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/modules');
const HEAD = 'module_name: weather\nmodule_version: 1.2.0\n';

function parse(text: string, environment?: Record<string, string>): ParsedManifest {
  const parsed = parseManifest(HEAD + text, 'config.yaml', environment ? { environment } : {});
  return parsed.ok ? parsed : expect.fail(parsed.issues.map(formatIssue).join('\n'));
}

function issues(text: string, environment?: Record<string, string>): readonly ManifestIssue[] {
  const parsed = parseManifest(text, 'config.yaml', environment ? { environment } : {});
  return parsed.ok ? expect.fail('the manifest was read') : parsed.issues;
}

/** The issues of a manifest that is otherwise good, as an author reads them. */
const lines = (text: string, environment?: Record<string, string>) => issues(HEAD + text, environment).map(formatIssue);

describe('a manifest', () => {
  test('of two lines has the defaults of the guide', () => {
    expect(parse('').manifest).toEqual({
      module_name: 'weather',
      module_version: '1.2.0',
      module_description: '',
      module_author: '',
      module_license: '',
      enabled: true,
      auto_load: true,
      priority: 1,
      dependencies: [],
      optional_dependencies: [],
      required_permissions: [],
      optional_permissions: [],
      user_tier_access: ['basic', 'premium', 'admin'],
      api: { enabled: true, prefix: '/api/v1/weather', rate_limit: 100 },
      webui: { enabled: true, menu_title: 'Weather', menu_icon: 'fas fa-puzzle-piece', menu_order: 100 },
      tasks: { enabled: true, schedule: '*/5 * * * *', timezone: 'UTC' },
      settings: { debug: false, log_level: 'INFO' },
      database: { enabled: false, tables: [], quota_mb: 100 },
      security: { require_authentication: true, admin_only: false, rate_limiting: true },
      runtime: { memory_mb: 64, timeout: 30, instances: 1, concurrency: 64, idle_timeout: 300 },
    });
  });

  test('may say every key of the guide', () => {
    const parsed = parseManifest(readFileSync(join(FIXTURES, 'every-key/config.yaml'), 'utf8'), 'config.yaml');
    if (!parsed.ok) expect.fail(parsed.issues.map(formatIssue).join('\n'));
    expect(parsed.manifest.database.tables[0]?.columns).toHaveLength(3);
    expect(parsed.manifest.settings).toMatchObject({ external_api_url: 'https://api.example.com', timeout: 30 });
    expect(parsed.manifest.runtime.cpu_ms).toBe(500);
  });

  test('may leave a section empty', () => {
    expect(parse('api:\nsettings:\ndependencies:\n').manifest.api.rate_limit).toBe(100);
  });

  test('of one module shares nothing with that of another', () => {
    parse('').manifest.dependencies.push('x');
    expect(parse('').manifest.dependencies).toEqual([]);
  });
});

describe('errors', () => {
  test('come all at once, each with line, column, key, what was found and what is allowed', () => {
    const text = readFileSync(join(FIXTURES, 'many-errors/config.yaml'), 'utf8');
    expect(issues(text).map(formatIssue)).toEqual([
      'config.yaml:3:1 priorty: The key is not known. Did you mean "priority"?',
      'config.yaml:1:14 module_name: found "Weather"; allowed is 2 to 64 lower-case letters, digits and "_", starting with a letter.',
      'config.yaml:2:17 module_version: found "1.0"; allowed is text of 5 to 100 characters.',
      'config.yaml:5:15 api.rate_limit: found "fast"; allowed is a whole number from 1 to 1000000.',
      expect.stringMatching(
        /^config\.yaml:10:5 required_permissions\[0\]: found "http:10\.0\.0\.1": an IP address is not allowed/,
      ),
      expect.stringMatching(
        /^config\.yaml:6:11 api\.prefix: found "\/api\/v1\/modules\/mine"; \/api\/v1\/modules belongs to the host/,
      ),
      expect.stringMatching(
        /^config\.yaml:8:13 tasks\.schedule: found "every day" with 2 fields; allowed is cron with 5 or 6 fields/,
      ),
    ]);
  });

  test('name a missing key and the line of its section', () => {
    expect(issues('module_name: weather').map(formatIssue)).toEqual([
      'config.yaml:1:1 module_version: The key is missing; allowed is text of 5 to 100 characters.',
    ]);
    expect(lines('database:\n  tables:\n    - columns: [{ name: id, type: integer }]')).toEqual([
      expect.stringMatching(/^config\.yaml:5:7 database\.tables\[0\]\.name: The key is missing/),
    ]);
  });

  test.each([
    ['module_version: "1.2"', /twice/],
    ['priority: high', /priority: found "high"; allowed is a whole number/],
    ['priority: 1.5', /found 1\.5; allowed is a whole number/],
    ['enabled: "yes"', /found "yes"; allowed is true or false/],
    ['enabled: yes', /found "yes"; allowed is true or false/],
    ['api: on', /found "on"; allowed is a map/],
    ['api: []', /found a list of 0; allowed is a map/],
    ['dependencies: weather', /found "weather"; allowed is a list of at most 64 entries without repeats/],
    ['dependencies: [a1, a1]', /without repeats/],
    ['dependencies: ["a1@"]', /dependencies\[0\]: found "a1@"/],
    ['dependencies: ["a1@new"]', /allowed is a version range such as/],
    ['dependencies: ["A1"]', /allowed is a module name/],
    ['user_tier_access: [gold]', /found "gold"; allowed is one of "basic", "premium", "admin"/],
    ['user_tier_access: []', /found a list of 0; allowed is a list of 1 to 3 entries/],
    ['api: { prefix: /weather }', /allowed is a path below \/api\//],
    ['api: { prefix: /api }', /allowed is a path below \/api\//],
    ['api: { prefix: /api/v1 }', /belongs to the host/],
    ['api: { prefix: /api/v1/tasks }', /belongs to the host/],
    ['api: { prefix: /api/v1/../v1/x }', /allowed is a path/],
    ['api: { prefix: /api/v1/x/ }', /no slash at the end/],
    ['api: { prefix: "/api/v1/x\\n" }', /allowed is a path/],
    ['webui: { menu_icon: "<b>" }', /allowed is a Font Awesome Free class name/],
    ['tasks: { schedule: "* * * * * * *" }', /7 fields/],
    ['tasks: { schedule: "61 * * * *" }', /allowed is cron/],
    ['tasks: { timezone: Mars/Olympus }', /IANA time zone/],
    ['plexichat: newest', /version range/],
    ['runtime: { instances: 17 }', /allowed is a whole number from 1 to 16/],
    ['runtime: { timeout: 0 }', /allowed is a number from above 0 to 3600/],
    ['settings: { log_level: LOUD }', /one of "DEBUG", "INFO"/],
    ['secuirty: {}', /Did you mean "security"/],
    ['api: { rate_limits: 1 }', /api\.rate_limits: The key is not known\. Did you mean "rate_limit"/],
    ['zzzzzzzzzzzzzzzzzzz: 1', /The key is not known\. Allowed are module_name, module_version/],
    ['constructor: 1', /constructor: The key is not known/],
    ['toString: {}', /toString: The key is not known/],
  ])('%s', (text, message) => {
    expect(lines(text).join('\n')).toMatch(message);
  });

  test.each([
    ['{ name: plexi_x, columns: [{ name: id, type: integer }] }', /plexi_ are taken/],
    [
      '{ name: x, columns: [{ name: id, type: integer }, { name: id, type: text }] }',
      /columns\[1\]\.name: an earlier column has this name/,
    ],
    ['{ name: x, columns: [{ name: id, type: varchar }] }', /found "varchar"; allowed is one of "integer"/],
    ['{ name: "x; DROP", columns: [{ name: id, type: integer }] }', /allowed is up to 63 lower-case letters/],
    ['{ name: x, columns: [{ name: id, type: integer, default: a }] }', /does not fit its type integer/],
    ['{ name: x, columns: [{ name: id, type: integer, max_length: 3 }] }', /max_length is for text/],
    ['{ name: x, columns: [{ name: id, type: integer, primary_key: true, nullable: true }] }', /cannot be nullable/],
    [
      '{ name: x, columns: [{ name: id, type: integer }], indexes: [{ columns: [idd] }] }',
      /"idd", which is no column of x/,
    ],
    ['{ name: x, columns: [] }', /allowed is a list of 1 to 100/],
  ])('a table %s', (table, message) => {
    expect(lines(`database: { tables: [${table}] }`).join('\n')).toMatch(message);
  });

  test('a name that is one of the host’s paths needs a prefix of its own', () => {
    const text = 'module_name: tasks\nmodule_version: 1.0.0\n';
    expect(issues(text).map(formatIssue).join()).toMatch(
      /api\.prefix: The default follows the module’s name: .*belongs to the host/,
    );
    expect(parseManifest(`${text}api: { prefix: /api/v1/my/tasks }`, 'config.yaml').ok).toBe(true);
  });
});

describe('files that are no manifest', () => {
  test.each([
    ['', /empty/],
    ['# nothing\n', /empty/],
    ['- a', /not a map/],
    ['text', /not a map/],
    ['a: 1\n---\nb: 1', /config\.yaml:2:1.*more than one YAML document/],
    ['a: 1\n  b: 2\n c', /config\.yaml:/],
    ['a: !!js/function "x"', /config\.yaml:1:4.*js\/function/],
    ['a: !!binary aGk=', /binary/],
    ['a: !own 1', /!own/],
    ['a: &x [1]\nb: *x', /config\.yaml:2:4 b: Aliases \(\*x\) are not allowed/],
    ['a: &x [*x]', /Aliases/],
    ['a: 1\na: 2', /config\.yaml:2:1 a: The key is written twice/],
    ['s:\n  b: 1\n  b: 2', /config\.yaml:3:3 s\.b: The key is written twice/],
    ['__proto__: { polluted: 1 }', /config\.yaml:1:1: The key __proto__ is not allowed/],
    ['settings: { a: [{ __proto__: 1 }] }', /__proto__ is not allowed/],
    ['1: a', /A key must be text/],
    ['? [a]\n: 1', /A key must be text/],
    ['a: [1, .inf]', /config\.yaml:1:8 a\[1\]: The number \.inf cannot be kept exactly/],
    ['a: 12345678901234567890', /cannot be kept exactly; write it in quotes/],
    [`a: ${'['.repeat(60)}${']'.repeat(60)}`, /deeper than 32/],
    [`a: ${'['.repeat(100_000)}`, /deeper than 32/],
    [`${'- '.repeat(100_000)}a`, /deeper than 32/],
    [Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'), /deeper than 32/],
  ])('%.40j is refused', (text, message) => {
    expect(issues(text).map(formatIssue).join('\n')).toMatch(message);
  });

  test('10 MB are refused before they are parsed', () => {
    const cpuMs = startCpuClock();
    expect(issues(`a: ${'x'.repeat(10 * 1024 * 1024)}`)[0]?.message).toBe('The file is larger than 256 KB.');
    expect(cpuMs()).toBeLessThan(500);
  });

  test('no text makes the parser throw', () => {
    const piece = fc.constantFrom(
      ...'a:b- ?[]{},#&*!|>%@`"\'\n\t0.~'.split(''),
      'module_name: ',
      'settings:',
      '__proto__',
      '---',
      '!!',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const parsed = parseManifest(pieces.join(''), 'config.yaml');
        if (!parsed.ok) for (const issue of parsed.issues) expect(issue.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('settings', () => {
  const SCHEMA = `settings_schema:
  type: object
  required: [api_key]
  additionalProperties: false
  properties:
    api_key: { type: string, writeOnly: true, minLength: 3 }
    limit: { type: integer, default: 5, maximum: 10 }
    places: { type: array, items: { type: string } }
`;

  test('take types and defaults from the schema', () => {
    expect(parse(`${SCHEMA}settings: { api_key: abc }`).manifest.settings).toEqual({
      api_key: 'abc',
      limit: 5,
      debug: false,
      log_level: 'INFO',
    });
  });

  test('that do not fit the schema are errors', () => {
    expect(lines(`${SCHEMA}settings: { api_key: a, limit: 11, places: [1], other: 1 }`)).toEqual([
      expect.stringMatching(/settings\.other: The key is not known/),
      expect.stringMatching(
        /config\.yaml:11:22 settings\.api_key: found another value; allowed is text of at least 3 characters/,
      ),
      expect.stringMatching(/settings\.limit: found 11; allowed is a whole number up to 10/),
      expect.stringMatching(/settings\.places\[0\]: found 1; allowed is text/),
    ]);
  });

  test('that are required but not given are a warning that says how to give them', () => {
    const parsed = parse(SCHEMA);
    expect(parsed.missingSettings).toEqual(['api_key']);
    expect(parsed.warnings[0]?.message).toMatch(/PLEXI_MODULE__WEATHER__SETTINGS__API_KEY/);
  });

  test.each([
    ['type: array', /found "array"; allowed is "object"/],
    ['type: obejct', /allowed is one of string/],
    ['$ref: "#"', /settings_schema\.\$ref: This word of JSON Schema is not supported/],
    ['allOf: []', /not supported/],
    ['propertis: {}', /Did you mean "properties"/],
    ['properties: { a: 1 }', /settings_schema\.properties\.a: found 1; allowed is a JSON Schema/],
    ['properties: { a: { pattern: "(a+)+$" } }', /without repeated groups/],
    ['properties: { a: { pattern: "^(?=a)b" } }', /look-around/],
    ['properties: { a: { pattern: "a*a*a*b" } }', /allowed is a regular expression/],
    ['properties: { a: { pattern: "[" } }', /allowed is a regular expression/],
    ['properties: { constructor: { type: 1 } }', /settings_schema\.properties\.constructor\.type/],
  ])('a schema with %s is refused', (schema, message) => {
    expect(lines(`settings_schema: { ${schema} }`).join('\n')).toMatch(message);
  });

  test('a key that JavaScript knows as something else is just a key', () => {
    const { settings } = parse('settings: { constructor: 1, toString: 2 }').manifest;
    expect(Object.hasOwn(settings, 'constructor')).toBe(true);
    expect({}.toString()).toBe('[object Object]');
  });
});

describe('the environment', () => {
  const set = (name: string, text: string) => ({ [`PLEXI_MODULE__WEATHER__${name}`]: text });

  test('sets any key, typed by the schema, and it is told which', () => {
    const parsed = parse('api: { enabled: true }\n', {
      ...set('API__ENABLED', 'false'),
      ...set('RUNTIME__CPU_MS', '250'),
      ...set('DEPENDENCIES', '["clock@^1"]'),
      ...set('MODULE_DESCRIPTION', '30'),
      ...set('SETTINGS__API_KEY', 'a: b # c'),
      PLEXI_MODULE__OTHER__PRIORITY: '7',
    });
    expect(parsed.manifest).toMatchObject({
      api: { enabled: false },
      runtime: { cpu_ms: 250 },
      dependencies: ['clock@^1'],
      module_description: '30',
      settings: { api_key: 'a: b # c' },
      priority: 1,
    });
    expect(parsed.overrides).toContainEqual({
      key: 'api.enabled',
      variable: 'PLEXI_MODULE__WEATHER__API__ENABLED',
      path: ['api', 'enabled'],
    });
    expect(parsed.overrides).toHaveLength(5);
  });

  test.each([
    ['true', true],
    ['30', 30],
    ['-1.5', -1.5],
    ['null', null],
    ['[1, 2]', [1, 2]],
    ['007', '007'],
    ['1e400', '1e400'],
    ['{not json}', '{not json}'],
    ['', ''],
  ])('a free setting %j', (text, expected) => {
    expect(parse('', set('SETTINGS__FREE', text)).manifest.settings).toMatchObject({ free: expected });
  });

  test('a free setting that is text in the file stays text, and keeps the spelling of its key', () => {
    expect(parse('settings: { apiKey: "1" }', set('SETTINGS__APIKEY', '2')).manifest.settings).toMatchObject({
      apiKey: '2',
    });
  });

  test('a setting with a schema has its type', () => {
    const schema = 'settings_schema: { properties: { code: { type: string }, size: { type: integer } } }';
    const environment = { ...set('SETTINGS__CODE', '42'), ...set('SETTINGS__SIZE', '42') };
    expect(parse(schema, environment).manifest.settings).toMatchObject({ code: '42', size: 42 });
  });

  test.each([
    ['API__RATE_LIMIT', 'fast', /PLEXI_MODULE__WEATHER__API__RATE_LIMIT: found "fast"; allowed is a whole number/],
    ['API__RATE', '1', /API__RATE: no key has the name "rate"\. .*"rate_limit"/],
    ['DEPENDENCIES', '["A"]', /DEPENDENCIES: found "A"; allowed is a module name/],
    ['PRIORITY__X', '1', /"priority" is not a map/],
    ['MODULE_NAME', 'other', /cannot be overridden/],
    ['', '1', /no key has the name ""/],
    ['SETTINGS____PROTO__', '1', /no key has the name/],
  ])('%s=%s is an issue that names the variable', (name, text, message) => {
    const found = issues(`${HEAD}priority: 1\n`, set(name, text));
    expect(found[0]).toMatchObject({ file: 'environment', line: 0 });
    expect(found[0]?.message).toMatch(message);
  });

  test('JSON with __proto__ stays text', () => {
    const { settings } = parse('', set('SETTINGS__X', '{"__proto__":{"polluted":1}}')).manifest;
    expect(settings).toMatchObject({ x: '{"__proto__":{"polluted":1}}' });
  });
});

test('the schema for editors is current: run "npm run schema"', () => {
  expect(readFileSync(new URL('../../sdk/config.schema.json', import.meta.url), 'utf8')).toBe(writeManifestSchema());
});
