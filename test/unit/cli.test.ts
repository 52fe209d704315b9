import { mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../runtime/cli/command-line.ts';
import { createAuthenticate } from '../../runtime/policy/authenticate.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { tempFolder } from '../support/temp-folder.ts';

withoutPlexiVariables();

describe('exit codes', () => {
  it('are 0 for done, 1 for the input, 2 for usage, 3 for the platform', () => {
    expect(EXIT).toEqual({ ok: 0, input: 1, usage: 2, platform: 3 });
  });

  it.each([
    [['--help'], 0],
    [['serve', '--help'], 0],
    [['token', '--help'], 0],
    [['help'], 0],
    [[], 2],
    [['nope'], 2],
    [['serve', '--nope'], 2],
    [['serve', 'extra'], 2],
    [['serve', '--port'], 2],
    [['token'], 2],
    [['token', '--sub', 'a', '--tier', 'gold'], 2],
    [['token', '--sub'], 2],
    [['tasks', '--help'], 0],
    [['tasks', 'runs', '--help'], 0],
    [['tasks'], 2],
    [['tasks', 'nope'], 2],
    [['tasks', 'list', 'extra'], 2],
    [['tasks', 'list', '--nope'], 2],
    [['tasks', 'runs', 'weather'], 2],
    [['tasks', 'runs', 'weather', 'refresh', '--limit', '0'], 2],
    [['tasks', 'runs', 'weather', 'refresh', '--limit', '201'], 2],
    [['tasks', 'runs', 'weather', 'refresh', '--limit', '1e1'], 2],
    [['tasks', 'run', 'weather', 'refresh', '--input'], 2],
  ])('are right for plexi %j', async (args, code) => {
    expect((await plexi(...args)).code).toBe(code);
  });
});

describe('--help', () => {
  it('has the commands, examples and exit codes', async () => {
    const { output } = await plexi('--help');
    for (const word of ['serve', 'token', 'tasks', 'Examples:', '$ plexi', 'Exit codes:'])
      expect(output).toContain(word);
  });

  it('of each command has an example', async () => {
    for (const command of ['serve', 'token']) {
      expect((await plexi(command, '--help')).output, command).toContain(`$ plexi ${command}`);
    }
  });

  it.each(['list', 'runs', 'run', 'pause', 'resume'])('of tasks %s has an example', async (command) => {
    const { output } = await plexi('tasks', command, '--help');
    expect(output).toContain(`$ plexi tasks ${command}`);
    for (const flag of ['--json', '--data', '--url', '--token', 'PLEXI_URL', 'PLEXI_TOKEN'])
      expect(output).toContain(flag);
  });

  it('is pointed to by a wrong flag, without a stack', async () => {
    const { errors } = await plexi('serve', '--nope');
    expect(errors).toContain("unknown option '--nope'");
    expect(errors).toContain('--help');
    expect(errors).not.toMatch(/\n\s+at /);
  });
});

describe('plexi serve', () => {
  it('--print-config shows each value with where it came from, and starts nothing', async () => {
    const folder = tempFolder({ 'plexi.yaml': 'host: 0.0.0.0\nport: 9999\n' });
    process.env.PLEXI_PORT = '7777';
    process.env.PLEXI_LOG_LEVEL = 'warn';
    const args = ['--config', join(folder, 'plexi.yaml'), '--log-level', 'error', '--data', join(folder, 'data')];
    const { code, output } = await plexi('serve', '--print-config', ...args);
    expect(code).toBe(0);
    const line = (key: string) => output.split('\n').find((text) => text.trimStart().startsWith(key)) ?? '';
    expect(line('host')).toMatch(/0\.0\.0\.0.*plexi\.yaml/);
    expect(line('port')).toMatch(/7777.*PLEXI_PORT/);
    expect(line('log_level')).toMatch(/error.*--log-level/);
    expect(line('cells')).toMatch(/auto.*default/);
    expect(() => statSync(join(folder, 'data'))).toThrow('ENOENT');
  });

  it.each([['--print-config'], ['--print-config', '--json']])('%s %s shows no password of a queue', async (...args) => {
    process.env.PLEXI_QUEUE = 'postgres://plexi:hunter2@db.internal/plexi';
    const { code, output } = await plexi('serve', ...args, '--redis', 'rediss://:hunter2@cache.internal:6379/1');
    expect(code).toBe(0);
    expect(output).not.toContain('hunter2');
    expect(output).toMatch(/redis.*--redis|"--redis"/s);
    expect(output).toContain('PLEXI_QUEUE');
  });

  it.each([
    ['--redis', 'http://:hunter2@cache.internal'],
    ['--queue', 'mysql://plexi:hunter2@db.internal'],
  ])('%s with another kind of URL ends with 1, and repeats no password', async (flag, url) => {
    const { code, errors } = await plexi('serve', flag, url);
    expect(errors).toContain(flag);
    expect(errors).not.toContain('hunter2');
    expect(code).toBe(1);
  });

  it('--print-config --json is JSON', async () => {
    const { output } = await plexi('serve', '--print-config', '--json');
    expect(JSON.stringify(JSON.parse(output))).toContain('127.0.0.1');
  });

  it.each([
    [['--port', 'many'], /port.*many/],
    [['--port', '70000'], /port.*70000/],
    [['--port', '-1'], /port/],
    [['--log-level', 'loud'], /log.level.*loud/],
    [['--config', '/nowhere/plexi.yaml'], /\/nowhere\/plexi\.yaml/],
    [['--modules', '/nowhere/modules'], /\/nowhere\/modules/],
  ])('with %j ends with 1 and says what is wrong', async (args, words) => {
    const { code, errors } = await plexi('serve', ...args);
    expect(errors).toMatch(words);
    expect(errors).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
  });

  it('shows all that is wrong with all sources at once', async () => {
    const folder = tempFolder({ 'plexi.yaml': 'hots: x\nport: no\n' });
    process.env.PLEXI_LOG_LEVEL = 'loud';
    const { code, errors } = await plexi('serve', '--config', join(folder, 'plexi.yaml'));
    expect(code).toBe(1);
    expect(errors).toMatch(/plexi\.yaml:1:1.*hots/);
    expect(errors).toMatch(/plexi\.yaml:2:\d+.*port/);
    expect(errors).toContain('PLEXI_LOG_LEVEL');
  });

  it('on a port that is taken ends with 1 and says so', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const folder = tempFolder();
    mkdirSync(join(folder, 'modules'));
    const flags = ['--port', String(port), '--modules', join(folder, 'modules'), '--data', join(folder, 'data')];
    const { code, errors } = await plexi('serve', '--json', ...flags);
    server.close();
    expect(errors).toContain(`Port ${port}`);
    expect(code).toBe(1);
  });

  it('on a data folder that is a file ends as an error, with the path', async () => {
    const folder = tempFolder({ data: 'a file', 'modules/readme': '' });
    const flags = ['--port', '0', '--modules', join(folder, 'modules'), '--data', join(folder, 'data')];
    const { code, errors } = await plexi('serve', '--json', ...flags);
    expect(errors).toContain(join(folder, 'data'));
    expect(code).toBeGreaterThan(0);
  });
});

describe('plexi token', () => {
  it('prints the bare token as its last line, and the host of that data folder takes it', async () => {
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    const args = [
      '--sub',
      'alice',
      '--tier',
      'premium',
      '--permissions',
      'read, write',
      '--data',
      data,
      '--expires',
      '30m',
    ];
    const { code, output } = await plexi('token', ...args);
    expect(code).toBe(0);
    const token = output.trimEnd().split('\n').at(-1) ?? '';
    const { payload } = await jwtVerify(token, (await openDataFolder(data)).secret);
    expect(payload).toMatchObject({ sub: 'alice', tier: 'premium', permissions: ['read', 'write'] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(1800);
  });

  it('makes no data folder for a host that is not there, and says so', async () => {
    const data = join(tempFolder(), 'typo');
    const { code, output, errors } = await plexi('token', '--sub', 'alice', '--data', data);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toContain(`${data} holds no data of a host`);
    expect(() => statSync(data)).toThrow('ENOENT');
  });

  it('carries the issuer and audience that the host asks for', async () => {
    const folder = tempFolder({ 'plexi.yaml': 'auth: { issuer: "https://idp.example", audience: chat }' });
    const { secret } = await openDataFolder(join(folder, 'data'));
    const args = ['--data', join(folder, 'data'), '--config', join(folder, 'plexi.yaml')];
    const { output } = await plexi('token', '--sub', 'alice', ...args);
    const caller = await createAuthenticate({ secret, issuer: 'https://idp.example', audience: 'chat' })(
      `Bearer ${output.trim()}`,
      undefined,
    );
    expect(caller?.caller.id).toBe('alice');
  });

  it.each(['', '12', 'h', '0h', '-1h', '1y', '1.5h', '99999999d', '12h extra'])(
    'refuses the lifetime %j',
    async (expires) => {
      const data = join(tempFolder(), 'data');
      const { code, output, errors } = await plexi('token', '--sub', 'a', '--data', data, `--expires=${expires}`);
      expect([code, output]).toEqual([1, '']);
      expect(errors).toContain('--expires');
    },
  );

  it('--api-key prints lines for plexi.yaml and the key as its last line, and keeps it nowhere', async () => {
    const { code, output } = await plexi('token', '--sub', 'bob', '--permissions', 'read', '--api-key');
    expect(code).toBe(0);
    const lines = output.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^plexi_[\w-]{43}$/);
    expect(lines.slice(0, -1).join('\n')).toMatch(/api_keys:[\s\S]*sha256: [0-9a-f]{64}[\s\S]*permissions: \["read"\]/);
    expect(lines.slice(0, -1).join('\n')).not.toContain(lines.at(-1) ?? '');
  });

  it('with a secret that somebody broke ends with an error that names the file', async () => {
    const folder = tempFolder({ 'data/token.secret': 'too short' });
    const { code, errors } = await plexi('token', '--sub', 'a', '--data', join(folder, 'data'));
    expect(code).toBeGreaterThan(0);
    expect(errors).toContain('token.secret');
  });
});
