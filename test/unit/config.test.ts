import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  HostSettingsError,
  type HostSettingsSources,
  loadHostSettings,
} from '../../runtime/config/load-host-settings.ts';
import { printOrigins } from '../../runtime/config/origins.ts';
import { writeHostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { formatIssue } from '../../runtime/config/yaml-issue.ts';
import { tempFolder } from '../support/temp-folder.ts';

const SHA = 'ab'.repeat(32);

function yaml(text: string): string {
  return join(tempFolder({ 'plexi.yaml': text }), 'plexi.yaml');
}

function problems(sources: HostSettingsSources): string[] {
  try {
    loadHostSettings(sources);
  } catch (error) {
    if (error instanceof HostSettingsError) return error.issues.map(formatIssue);
    throw error;
  }
  return expect.fail('the settings were read');
}

test('without any source there are the defaults', () => {
  const { settings, origins } = loadHostSettings({});
  expect(settings).toEqual({
    modules: './modules',
    port: 8080,
    jail: 'auto',
    host: '127.0.0.1',
    data: '.plexi',
    cells: 'auto',
    redis_options: {},
    redis_cluster: [],
    tasks: {
      durability: 'process',
      prefix: 'plexi',
      concurrency: 64,
      per_module: 8,
      max_waiting: 10_000,
      keep_days: 7,
      keep_runs: 2_000,
      grace_seconds: 5,
      pause_after: 5,
    },
    databases: { query_seconds: 2, transaction_seconds: 5, memory_mb: 256, max_quota_mb: 1_024 },
    events: { emits_per_second: 100, max_waiting: 1_000 },
    notifications: { per_minute: 600, keep: 500, keep_days: 30, streams_per_user: 5 },
    audit: { keep_days: 365, keep: 100_000 },
    metrics: { public: false },
    auth: { api_keys: [], failed_logins: { limit: 20, window_seconds: 60 } },
    grants: {},
    packages: { require_signature: false, versions: 10, total_mb: 2_048 },
    publishers: {},
    upgrade: { trial_seconds: 60 },
    egress: { allow_private: [], timeout_seconds: 10, max_response_mb: 10 },
    limits: {
      body_mb: 1,
      upload_mb: 100,
      file_mb: 100,
      max_timeout_seconds: 300,
      max_memory_mb: 512,
      max_instances: 4,
      max_concurrency: 1024,
      connections_per_address: 1000,
      max_inflight: 2048,
      calls_per_second: 5000,
      bridge_mb_per_second: 16,
      storage_mb: 100,
      cache_mb: 4,
      log_lines_per_second: 500,
    },
    log_level: 'info',
    diagnostics: [],
    trust_proxy: false,
    jit: { full: [] },
  });
  expect(new Set(Object.values(origins).map(({ from }) => from))).toEqual(new Set(['default']));
});

test('flags win over the environment, that over the file, that over the defaults; each says where it came from', () => {
  const file = yaml('port: 1\nhost: 0.0.0.0\ndata: mine\nlimits:\n  body_mb: 3\n');
  const { settings, origins } = loadHostSettings({
    file,
    environment: {
      PLEXI_PORT: '2',
      PLEXI_HOST: '::1',
      PLEXI_LIMITS__UPLOAD_MB: '7',
      PLEXI_MODULE__WEATHER__X: '1',
      PATH: '/',
    },
    flags: { port: '3', 'limits.max_instances': '2', modules: undefined },
  });
  expect(settings).toMatchObject({
    port: 3,
    host: '::1',
    data: 'mine',
    limits: { body_mb: 3, upload_mb: 7, max_instances: 2 },
  });
  expect(origins).toMatchObject({
    port: { from: 'flag', where: '--port', value: 3 },
    host: { from: 'environment', where: 'PLEXI_HOST' },
    data: { from: 'file', where: `${file}:3` },
    'limits.body_mb': { from: 'file', where: `${file}:5` },
    'limits.upload_mb': { from: 'environment', where: 'PLEXI_LIMITS__UPLOAD_MB' },
    'limits.max_instances': { from: 'flag', where: '--limits.max-instances' },
    log_level: { from: 'default', where: 'default' },
  });
});

test('grants, cells and keys are read from each source', () => {
  const file = yaml(`cells: 4
grants:
  weather: [http:api.example.com, database]
auth:
  api_keys:
    - { id: ci, sha256: ${SHA}, tier: admin, sub: robot }
`);
  expect(loadHostSettings({ file }).settings).toMatchObject({
    cells: 4,
    grants: { weather: ['http:api.example.com', 'database'] },
    auth: { api_keys: [{ id: 'ci', permissions: [] }] },
  });
  const environment = {
    PLEXI_CELLS: 'per-module',
    PLEXI_GRANTS__CLOCK: '["users:read"]',
    PLEXI_DIAGNOSTICS: '["weather"]',
    PLEXI_EGRESS__ALLOW_PRIVATE: '["localhost:8081"]',
    PLEXI_JIT__FULL: '["clock"]',
    PLEXI_TRUST_PROXY: 'true',
  };
  expect(loadHostSettings({ file, environment }).settings).toMatchObject({
    cells: 'per-module',
    grants: { weather: ['http:api.example.com', 'database'], clock: ['users:read'] },
    diagnostics: ['weather'],
    egress: { allow_private: ['localhost:8081'] },
    jit: { full: ['clock'] },
    trust_proxy: true,
  });
});

test('secrets are never printed', () => {
  const file = yaml(
    `auth:\n  jwks_url: https://me:s3cret@example.com/keys\n  api_keys: [{ id: ci, sha256: ${SHA}, tier: basic, sub: robot }]\n`,
  );
  const printed = printOrigins(loadHostSettings({ file }).origins);
  expect(printed).not.toContain(SHA);
  expect(printed).not.toContain('s3cret');
  expect(printed).toMatch(/^port +.* = 8080 {2}\(default\)$/m);
});

describe('errors', () => {
  test('of all sources come at once, each with its place', () => {
    const file = yaml('prot: 1\nlimits:\n  body_mb: lots\ngrants:\n  weather: [root]\n  Bad: []\n');
    const found = problems({
      file,
      environment: { PLEXI_PORT: 'http', PLEXI_LOGLEVEL: 'info' },
      flags: { cells: '65', nope: '1' },
    });
    expect(found).toEqual([
      'environment: PLEXI_LOGLEVEL: no key has the name "loglevel". Did you mean "log_level"?',
      expect.stringMatching(/^flag: --nope: no key has the name "nope"/),
      `${file}:1:1 prot: The key is not known. Did you mean "port"?`,
      'environment port: PLEXI_PORT: found "http"; allowed is a whole number from 0 to 65535.',
      'flag cells: --cells: found 65; allowed is "auto", or "per-module", or a whole number from 1 to 64.',
      expect.stringMatching(/6:3 grants\.Bad: The key is not known/),
      `${file}:3:12 limits.body_mb: found "lots"; allowed is a number from above 0 to 64.`,
      expect.stringMatching(/5:13 grants\.weather\[0\]: found "root": no permission has this name/),
    ]);
  });

  test('a file that is named must be there', () => {
    expect(problems({ file: '/nowhere/plexi.yaml' })).toEqual(['/nowhere/plexi.yaml: The file does not exist.']);
  });

  test.each([
    ['auth: { api_keys: [{ id: a, sha256: short, tier: basic, sub: x }] }', /64 lower-case hexadecimal digits/],
    ['egress: { allow_private: [localhost] }', /host:port/],
    ['auth: { jwks_url: "file:///etc/keys" }', /https:\/\//],
    ['cells: 0', /allowed is "auto"/],
    ['log_level: loud', /one of "trace"/],
    ['a: &x 1\nb: *x', /Aliases/],
  ])('%s', (text, message) => {
    expect(problems({ file: yaml(text) }).join('\n')).toMatch(message);
  });

  test('what was found for a secret is not repeated', () => {
    const found = problems({ file: yaml('auth: { api_keys: [{ id: a, sha256: my-real-key, tier: basic, sub: x }] }') });
    expect(found.join()).not.toContain('my-real-key');
  });
});

test('a file of comments is an empty one', () => {
  expect(loadHostSettings({ file: yaml('# nothing yet\n\n') }).settings.port).toBe(8080);
});

test('the schema for editors is current: run "npm run schema"', () => {
  expect(readFileSync(new URL('../../runtime/plexi.schema.json', import.meta.url), 'utf8')).toBe(
    writeHostSettingsSchema(),
  );
});
