import { describe, expect, it } from 'vitest';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { sends, stranger } from '../support/stranger.ts';
import { tokenHost } from '../support/token-host.ts';

withoutPlexiVariables();

const lastLine = (output: string): string => output.trimEnd().split('\n').at(-1) ?? '';
const idIn = (output: string): string => /(?:tok|key)_[0-9a-f-]{36}/.exec(output)?.[0] ?? '';

describe('plexi tokens create', () => {
  it('prints what it made, and the bare token as its last line', async () => {
    const { data, url } = await tokenHost();
    const { code, output, errors } = await plexi(
      ...['tokens', 'create', '--name', 'reports', '--sub', 'robot', '--permissions', 'read, write'],
      ...['--expires', '30d', '--data', data],
    );
    expect([code, errors]).toEqual([0, '']);
    expect(output).toContain('The token reports for robot, of the basic tier, with the permissions read, write.');
    expect(output).toContain(`plexi tokens revoke ${idIn(output)}`);
    const headers = { authorization: `Bearer ${lastLine(output)}` };
    expect((await fetch(`${url}/api/v1/demo/read`, { headers })).status).toBe(200);
  });

  it('--api-key makes a key, and --json prints what the API answers', async () => {
    const { data, url } = await tokenHost();
    const { output } = await plexi(
      ...['tokens', 'create', '--name', 'ci', '--api-key', '--permissions', 'read', '--json', '--data', data],
    );
    const made = JSON.parse(output) as { credential: string; kind: string };
    expect(made.kind).toBe('api_key');
    const headers = { 'x-api-key': made.credential };
    expect((await fetch(`${url}/api/v1/demo/read`, { headers })).status).toBe(200);
  });

  it('with a token that is given makes no more of it than that is', async () => {
    const { data, url } = await tokenHost();
    const { output } = await plexi(
      ...['tokens', 'create', '--name', 'ops', '--permissions', 'modules:manage', '--data', data],
    );
    const { code, errors } = await plexi(
      ...['tokens', 'create', '--name', 'more', '--permissions', 'read', '--url', url, '--token', lastLine(output)],
    );
    expect([code, errors]).toEqual([1, expect.stringContaining('you lack "read"')]);
  });

  it('--expires is held against what is allowed, here and there', async () => {
    const { data } = await tokenHost();
    const create = (expires: string) => plexi('tokens', 'create', '--name', 'a', '--expires', expires, '--data', data);
    expect(await create('soon')).toMatchObject({ code: 1, errors: expect.stringContaining('30m, 12h or 7d') });
    expect(await create('9999d')).toMatchObject({ code: 1, errors: expect.stringContaining('/body/lifetime') });
  });

  it('without a name is a wrong usage', async () => {
    expect((await plexi('tokens', 'create')).code).toBe(2);
  });
});

describe('plexi tokens list', () => {
  it('shows each with its id, and no more of a key than how it begins', async () => {
    const { data } = await tokenHost();
    expect((await plexi('tokens', 'list', '--data', data)).output).toMatch(/^No tokens were made/);
    const made = await plexi('tokens', 'create', '--name', 'ci', '--api-key', '--permissions', 'read', '--data', data);
    await plexi('tokens', 'create', '--name', 'reports', '--data', data);
    const { code, output } = await plexi('tokens', 'list', '--data', data);
    expect(code).toBe(0);
    expect(output).toMatch(/^NAME {5}KIND/);
    expect(output).toContain(`    ${idIn(made.output)}\n    may: read\n`);
    expect(output).toContain(`API key ${lastLine(made.output).slice(0, 14)}…`);
    expect(output).not.toContain(lastLine(made.output));
    expect(output).toContain('never');
  });

  it('goes on where a page ended', async () => {
    const { data } = await tokenHost();
    for (const name of ['first', 'second']) await plexi('tokens', 'create', '--name', name, '--data', data);
    const { output } = await plexi('tokens', 'list', '--limit', '1', '--data', data);
    const before = /--before (\S+)/.exec(output)?.[1] ?? '';
    const next = await plexi('tokens', 'list', '--limit', '1', '--before', before, '--data', data);
    expect(next.output).not.toContain('There are more');
    expect(idIn(next.output)).not.toBe(idIn(output));
  });

  it('a host that says something else ends with 3, and steers no terminal', async () => {
    const { url } = await stranger(sends({ tokens: [{ id: 7 }] }));
    const odd = await plexi('tokens', 'list', '--url', url, '--token', 'a.b.c');
    expect([odd.code, odd.errors]).toEqual([3, expect.stringContaining('does not understand: /tokens/0')]);
    const moment = '2030-01-01T00:00:00.000Z';
    const row = {
      ...{ id: 'tok_\u001b[2J', kind: 'token\u001b[2J', name: 'a\nb\u001b[2J', sub: 'x', tier: 'basic' },
      ...{ permissions: ['\u001b[2J'], prefix: null, made_at: moment, made_by: 'x', expires_at: '\u001b[2J' },
      ...{ used_at: null, revoked_at: null },
    };
    const hostile = await stranger(sends({ tokens: [row], next: '\u001b[2J' }));
    const { code, output } = await plexi('tokens', 'list', '--url', hostile.url, '--token', 'a.b.c');
    expect(code).toBe(0);
    expect(output).not.toContain('\u001b');
  });
});

describe('plexi tokens revoke', () => {
  it('takes a token back', async () => {
    const { data, url } = await tokenHost();
    const made = await plexi('tokens', 'create', '--name', 'a', '--permissions', 'read', '--data', data);
    const id = idIn(made.output);
    expect(await plexi('tokens', 'revoke', id, '--data', data)).toMatchObject({
      code: 0,
      output: `${id} is refused from now on.\n`,
    });
    const headers = { authorization: `Bearer ${lastLine(made.output)}` };
    expect((await fetch(`${url}/api/v1/demo/read`, { headers })).status).toBe(401);
    expect((await plexi('tokens', 'list', '--data', data)).output).toContain('revoked');
  });

  it('one that is not there is your input', async () => {
    const { data } = await tokenHost();
    const id = 'tok_0b54a2f1-6f0e-4c4e-9a54-2f5f3c1d7e90';
    expect(await plexi('tokens', 'revoke', id, '--data', data)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('NOT_FOUND'),
    });
  });

  it.each(['plexi_the-key-itself', '../modules', 'tok_', 'eyJ.a.b'])('%s is no id, and is not repeated', async (id) => {
    const { code, output, errors } = await plexi('tokens', 'revoke', id, '--data', '/nowhere');
    expect([code, output]).toEqual([1, '']);
    expect(errors).toContain('no id of a token');
    expect(errors).not.toContain(id);
  });
});

it.each([['list'], ['create'], ['revoke']])('plexi tokens %s --help has an example', async (command) => {
  const { code, output } = await plexi('tokens', command, '--help');
  expect(code).toBe(0);
  expect(output).toContain(`$ plexi tokens ${command}`);
  expect(output).toContain('Exit codes');
});
