/** What `plexi doctor` makes of settings, of a machine and of what a cell could do; the trying itself is in test/integration. */
import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showFindings } from '../../runtime/cli/show-findings.ts';
import { judgeDataFolder } from '../../runtime/compose/doctor/data-folder.ts';
import type { Finding } from '../../runtime/compose/doctor/finding.ts';
import { ATTEMPTS, type Attempts, type InsideReport } from '../../runtime/compose/doctor/inside-cell-report.ts';
import { judgeJail } from '../../runtime/compose/doctor/jail.ts';
import { judgeMachine, type MachineFacts } from '../../runtime/compose/doctor/machine.ts';
import { judgeSettings } from '../../runtime/compose/doctor/settings.ts';
import { type Arrived, judgeReport } from '../../runtime/compose/doctor/tried-cell.ts';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import type { HostSettings } from '../../runtime/config/settings-schema.ts';
import { tempFolder } from '../support/temp-folder.ts';

function settings(yaml = '{}'): HostSettings {
  const folder = tempFolder({ 'plexi.yaml': yaml });
  return loadHostSettings({ flags: {}, environment: {}, file: join(folder, 'plexi.yaml') }).settings;
}

function find(findings: readonly Finding[], name: string): Finding {
  const found = findings.find((finding) => finding.name === name);
  if (found === undefined)
    throw new Error(`${name} is not among ${findings.map((finding) => finding.name).join(', ')}`);
  return found;
}

describe('settings', () => {
  it('that nobody touched are all on, but for what costs something', () => {
    const off = judgeSettings(settings()).filter(({ state }) => state !== 'on');
    expect(off.map(({ name }) => name)).toEqual(['cell per module', 'processor time']);
  });

  it.each([
    ['host: 0.0.0.0', 'address', 'off'],
    ['host: "::"', 'address', 'off'],
    ['host: 127.0.0.2', 'address', 'on'],
    ['host: "::1"', 'address', 'on'],
    ['host: localhost', 'address', 'on'],
    ['trust_proxy: true', 'client addresses', 'on'],
    ['trust_proxy: true\nhost: 0.0.0.0', 'client addresses', 'off'],
    ['auth: { jwks_url: "http://keys.example/jwks" }', 'tokens', 'failed'],
    ['auth: { jwks_url: "http://localhost:9/jwks", issuer: i, audience: a }', 'tokens', 'on'],
    ['auth: { jwks_url: "https://keys.example/jwks" }', 'tokens', 'off'],
    ['auth: { jwks_url: "https://keys.example/jwks", issuer: i }', 'tokens', 'off'],
    ['auth: { jwks_url: "https://keys.example/jwks", issuer: i, audience: a }', 'tokens', 'on'],
    ['cells: per-module', 'cell per module', 'on'],
    ['limits: { max_cpu_ms: 500 }', 'processor time', 'on'],
    ['diagnostics: [weather]', 'diagnostics', 'off'],
    ['jit: { full: [weather] }', 'jit.full', 'off'],
    ['egress: { allow_private: ["intranet:80"] }', 'private network', 'off'],
    ['metrics: { public: true }', 'metrics', 'on'],
    ['metrics: { public: true }\nhost: 0.0.0.0', 'metrics', 'off'],
  ])('%j: %s is %s', (yaml, name, state) => {
    const found = find(judgeSettings(settings(yaml)), name);
    expect(found.state).toBe(state);
    if (state !== 'on') expect(found.remedy).toMatch(/\w{4}/);
  });

  it.each([
    ['redis: "redis://localhost:6379"', 'on'],
    ['redis: "redis://[::1]:6379"', 'on'],
    ['redis: "redis://cache.example"', 'off'],
    ['redis: "rediss://cache.example"', 'on'],
    ['redis: "rediss://cache.example"\nredis_options: { tls: { rejectUnauthorized: false } }', 'off'],
    ['redis: "redis://cache.example"\nredis_options: { tls: {} }', 'on'],
    ['redis_options: { host: cache.example }', 'off'],
    ['redis_options: { path: /run/redis.sock }', 'on'],
    ['redis_options: { name: main, sentinels: [{ host: a.example, port: 1 }] }', 'off'],
    ['redis_cluster: ["a.example:1", "b.example:2"]', 'off'],
    ['redis: "rediss://a.example"\nredis_cluster: ["a.example:1"]', 'on'],
    ['queue: "postgres://db.example/plexi"', 'off'],
    ['queue: "postgres://db.example/plexi?sslmode=no-verify"', 'off'],
    ['queue: "postgres://db.example/plexi?sslmode=require"', 'on'],
    ['queue: "postgres://db.example/plexi?sslmode=require&uselibpqcompat=true"', 'off'],
    ['queue: "postgres://127.0.0.1/plexi"', 'on'],
    ['queue: "postgres:///plexi?host=/var/run/postgresql"', 'on'],
    ['queue: "postgres://localhost/plexi"\nredis: "redis://localhost"', 'failed'],
  ])('%j: the link to the queue is %s', (yaml, state) => {
    expect(find(judgeSettings(settings(yaml)), 'queue').state).toBe(state);
  });

  it.each([
    'redis: "redis://user:hunter2@cache.example/0?password=hunter2"',
    'redis: "redis://:hunter2@[bad"',
    'redis_options: { host: cache.example, password: hunter2 }',
    'redis_options: { sentinels: [{ host: a.example, password: hunter2 }], sentinelPassword: hunter2 }',
    'queue: "postgres://user:hunter2@db.example/plexi?sslkey=hunter2"',
    'auth: { jwks_url: "https://user:hunter2@keys.example/jwks?key=hunter2" }',
  ])('with a password are shown without it: %j', (yaml) => {
    expect(JSON.stringify(judgeSettings(settings(yaml)))).not.toContain('hunter2');
  });
});

describe('the data folder', () => {
  it('may be missing: the first start makes it', async () => {
    const findings = await judgeDataFolder(join(tempFolder(), 'none'));
    expect(findings.map(({ state }) => state)).toEqual(['on', 'on']);
    expect(findings[0]?.meaning).toContain('does not exist yet');
  });

  it('is for its owner only, and so is the secret in it', async () => {
    const folder = tempFolder({ 'token.secret': 'x' });
    chmodSync(join(folder, 'token.secret'), 0o600);
    expect((await judgeDataFolder(folder)).map(({ state }) => state)).toEqual(['on', 'on']);

    chmodSync(join(folder, 'token.secret'), 0o640);
    chmodSync(folder, 0o755);
    const [first, second] = await judgeDataFolder(folder);
    expect(first).toMatchObject({ state: 'failed', blame: 'setting', remedy: `chmod 700 ${folder}` });
    expect(second).toMatchObject({ state: 'failed', blame: 'setting' });
    expect(second?.meaning).toContain('mode 0640');
  });

  it('is what a link leads to', async () => {
    const folder = tempFolder({ 'real/token.secret': 'x' });
    chmodSync(join(folder, 'real'), 0o777);
    chmodSync(join(folder, 'real/token.secret'), 0o666);
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    expect((await judgeDataFolder(join(folder, 'link'))).map(({ state }) => state)).toEqual(['failed', 'failed']);

    mkdirSync(join(folder, 'data'), { mode: 0o700 });
    symlinkSync(join(folder, 'real/token.secret'), join(folder, 'data/token.secret'));
    expect((await judgeDataFolder(join(folder, 'data'))).map(({ state }) => state)).toEqual(['on', 'failed']);
  });

  it.skipIf(process.getuid?.() !== 0)('is not the folder of somebody else, also not for root', async () => {
    const folder = tempFolder({ 'data/token.secret': 'x' });
    chmodSync(join(folder, 'data'), 0o700);
    chmodSync(join(folder, 'data/token.secret'), 0o600);
    chownSync(join(folder, 'data'), 64_900, 64_900);
    const [first] = await judgeDataFolder(join(folder, 'data'));
    expect(first).toMatchObject({ state: 'failed', blame: 'setting' });
    expect(first?.meaning).toContain('belongs to another user');
  });

  it('is looked at, and neither made nor mended', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'data'));
    chmodSync(join(folder, 'data'), 0o755);
    await judgeDataFolder(join(folder, 'data'));
    expect((await judgeDataFolder(join(folder, 'data')))[0]?.state).toBe('failed');
  });
});

describe('a machine', () => {
  const GB = 1024 ** 3;
  const good: MachineFacts = {
    nodeVersion: 'v26.1.0',
    claimedNode: '>=26',
    freeBytes: 8 * GB,
    openFiles: 65_536,
    cells: 2,
  };

  it.each([
    [{}, []],
    [{ nodeVersion: 'v24.9.0' }, ['node version failed']],
    [{ freeBytes: GB / 2 }, ['memory off']],
    [{ cells: 40 }, ['memory off']],
    [{ openFiles: 1024 }, ['open files off']],
    [{ openFiles: undefined }, []],
    [{ openFiles: Number.POSITIVE_INFINITY }, []],
  ])('with %j lacks %j', (facts, expected) => {
    const lacking = judgeMachine(settings(), { ...good, ...facts }).filter(({ state }) => state !== 'on');
    expect(lacking.map(({ name, state }) => `${name} ${state}`)).toEqual(expected);
  });
});

describe('what code in a cell could do', () => {
  const refused = Object.fromEntries(
    ATTEMPTS.map((attempt) => [attempt, attempt === 'evaluate' ? 'EvalError' : 'ERR_ACCESS_DENIED']),
  ) as Attempts;
  const held: InsideReport = {
    cell: { ...refused, thread: 'not tried' },
    thread: refused,
    beyond: refused,
    environment: [],
    signal: 'EPERM',
    hasProto: false,
    flags: ['--no-turbofan'],
  };
  const nothing: Arrived = { connections: 0, beyond: 0, signals: 0 };
  const failures = (report: InsideReport, arrived: Partial<Arrived> = {}): string[] =>
    judgeReport(report, { ...nothing, ...arrived }).flatMap(({ name, state }) =>
      state === 'on' ? [] : [`${name} ${state}`],
    );

  it('is nothing when everything was refused', () => {
    expect(failures(held)).toEqual([]);
  });

  it.each(ATTEMPTS)('fails when %s was done, or failed for another reason than the refusal', (attempt) => {
    for (const outcome of ['done', 'ENOENT', 'no answer']) {
      expect(failures({ ...held, thread: { ...refused, [attempt]: outcome } })).toEqual([
        expect.stringMatching(/ failed$/),
      ]);
      if (attempt === 'thread') continue;
      expect(failures({ ...held, cell: { ...refused, [attempt]: outcome } })).toHaveLength(1);
    }
  });

  it('fails when a connection arrived, whatever the cell says', () => {
    expect(failures(held, { connections: 1 })).toEqual(['network failed']);
  });

  it('fails with variables, or without the flags; a signal is for operators to decide', () => {
    expect(failures({ ...held, environment: ['PWD'] })).toEqual([]);
    expect(failures({ ...held, environment: ['PWD', 'HOME'] })).toEqual(['environment failed']);
    expect(failures({ ...held, flags: [] })).toEqual(['optimising compiler failed']);
    expect(failures({ ...held, hasProto: true })).toEqual(['optimising compiler failed']);
    expect(failures(held, { signals: 1 })).toEqual(['signals off', 'beyond the thread off']);
    // The number of the host is somebody else's in there.
    expect(failures({ ...held, signal: 'done' })).toEqual([]);
  });
});

describe('code that left its thread', () => {
  const none = Object.fromEntries(ATTEMPTS.map((attempt) => [attempt, 'ENOENT'])) as Attempts;
  const words = (beyond: Partial<Attempts>, arrived: Partial<Arrived> = {}): string => {
    const report: InsideReport = {
      cell: none,
      thread: none,
      beyond: { ...none, ...beyond },
      environment: [],
      signal: 'ESRCH',
      hasProto: false,
      flags: [],
    };
    const found = judgeReport(report, { connections: 0, beyond: 0, signals: 0, ...arrived });
    const { state, meaning } = find(found, 'beyond the thread');
    return `${state}: ${meaning}`;
  };

  it('is held by what the system refuses, not by what Node does', () => {
    expect(words({})).toMatch(/^on: /);
    // What there is of programs and folders is its own.
    expect(words({ child: 'done', list: 'done', listen: 'done' })).toMatch(/^on: /);
    expect(words({ read: 'done', write: 'done', child: 'done' })).toMatch(
      /^off: .*reads what everybody may read, it makes files where everybody may, it starts programs/,
    );
    expect(words({}, { beyond: 1 })).toMatch(/^off: .*reaches the network/);
  });

  it('has all that the user of the host has, where that is its own', () => {
    const said = words({ own: 'done', read: 'done', write: 'done', child: 'done' }, { signals: 1 });
    expect(said).toMatch(/^off: .*reads and changes whatever the user of the host may, it ends the host/);
    expect(said).not.toContain('everybody');
  });
});

it('a jail that the settings insist on and the machine lacks is a failure of the setting', () => {
  const layers = [
    { name: 'user', on: true, lacking: false, meaning: 'Own users.' },
    { name: 'bwrap', on: false, lacking: false, meaning: 'Not used.' },
  ] as const;
  expect(judgeJail({ layers }, undefined).map(({ state }) => state)).toEqual(['on', 'off']);
  expect(judgeJail({ layers }, 'It is not installed.')[1]).toMatchObject({
    state: 'failed',
    blame: 'setting',
    meaning: 'It is not installed.',
  });
});

describe('as text', () => {
  const groups = [
    {
      title: 'Walls',
      findings: [
        { name: 'one', state: 'on', meaning: 'It holds. '.repeat(30) },
        { name: 'another', state: 'off', meaning: 'An evil \u001b[2J name\nand a second line', remedy: 'Do this.' },
        { name: 'third', state: 'failed', blame: 'platform', meaning: 'It does not hold.', remedy: 'Do that.' },
      ],
    },
  ] as const;

  it('fits the terminal, and nothing in it steers', () => {
    for (const width of [60, 80, 100]) {
      const text = showFindings(groups, { width, colour: false });
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
      expect(text).not.toContain('\u001b');
      expect(text).toContain('→ Do this.');
      expect(text).toContain('1 on, 1 off, 1 FAIL.');
    }
  });

  it('has colours when they are asked for, on the marks only', () => {
    const text = showFindings(groups, { width: 80, colour: true });
    const [, ...parts] = text.split('\u001b');
    expect(parts.map((part) => /^\[\d\dm(on|off|FAIL)?/.exec(part)?.[1] ?? 'end')).toEqual([
      'on',
      'end',
      'off',
      'end',
      'FAIL',
      'end',
    ]);
  });
});
