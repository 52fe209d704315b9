import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPermission, type Permission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { covers, notCovered } from '../../runtime/capabilities/permission-cover.ts';
import { describePermission } from '../../runtime/capabilities/permission-words.ts';

function read(text: string): Permission {
  const parsed = parsePermission(text);
  return parsed.ok ? parsed.permission : expect.fail(parsed.message);
}

function problem(text: string): string {
  const parsed = parsePermission(text);
  return parsed.ok ? expect.fail(`${text} was read`) : parsed.message;
}

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const step = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
const permission: fc.Arbitrary<Permission> = fc.oneof(
  host.map((name): Permission => ({ capability: 'http', host: name })),
  host.map((name): Permission => ({ capability: 'http', host: `*.${name}` })),
  fc
    .tuple(host, fc.integer({ min: 1, max: 65_535 }))
    .map(([name, port]): Permission => ({ capability: 'http', host: name, port })),
  fc
    .tuple(fc.constantFrom('read' as const, 'write' as const), fc.array(step, { minLength: 1, maxLength: 4 }))
    .map(([access, steps]): Permission => ({ capability: 'files', access, directory: `/${steps.join('/')}` })),
  fc
    .stringMatching(/^[a-z][a-z0-9_]{0,6}(\.([a-z0-9_]{1,6}|\*)){0,3}$/)
    .map((pattern): Permission => ({ capability: 'events', pattern })),
  fc.stringMatching(/^[a-z][a-z0-9_]{1,10}$/).map((name): Permission => ({ capability: 'modules', name })),
  fc.constantFrom<Permission>(
    { capability: 'database' },
    { capability: 'storage' },
    { capability: 'notifications' },
    { capability: 'users' },
  ),
);

describe('the text form', () => {
  test.each([
    ['http:api.example.com', { capability: 'http', host: 'api.example.com' }],
    ['http:*.example.com:8443', { capability: 'http', host: '*.example.com', port: 8443 }],
    ['http:localhost:8081', { capability: 'http', host: 'localhost', port: 8081 }],
    ['files:read:/reports/2026', { capability: 'files', access: 'read', directory: '/reports/2026' }],
    ['files:write:/out', { capability: 'files', access: 'write', directory: '/out' }],
    ['database', { capability: 'database' }],
    ['storage:large', { capability: 'storage' }],
    ['events:subscribe:message.*', { capability: 'events', pattern: 'message.*' }],
    ['notifications:send', { capability: 'notifications' }],
    ['users:read', { capability: 'users' }],
    ['modules:call:weather', { capability: 'modules', name: 'weather' }],
  ])('%s is read', (text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(formatPermission(read(text))).toBe(text);
  });

  test.each([
    '',
    'root',
    'HTTP:a.com',
    'constructor',
    '__proto__',
    'toString:x',
    'database:all',
    'storage',
    'storage:small',
    'users:write',
    'http',
    'http:',
    'http:*',
    'http:*.com',
    'http:*.*.example.com',
    'http:a.*.com',
    'http:A.example.com',
    'http:a..com',
    'http:.com',
    'http:127.0.0.1',
    'http:10.1',
    'http:2130706433',
    'http:0x7f.1',
    'http:0x7f000001',
    'http:[::1]',
    'http:::1',
    'http:fe80::1:80',
    'http:a.com:0',
    'http:a.com:65536',
    'http:a.com:080',
    'http:a.com:80:80',
    'http:https://a.com',
    'http:a.com/path',
    'http:u@a.com',
    'http:a.com\n',
    'http:a com',
    'http:ä.com',
    `http:${'a'.repeat(64)}.com`,
    `http:${'a.'.repeat(130)}com`,
    'files',
    'files:/x',
    'files:read:',
    'files:read:x',
    'files:read:/',
    'files:read:/../etc',
    'files:read:/a/../b',
    'files:read:/a//b',
    'files:read:/a/',
    'files:read:/a/.',
    'files:read:/a\\b',
    'files:read:/a\u0000',
    'files:delete:/a',
    'files:read:/a\n/b',
    'events:message.*',
    'events:subscribe:*',
    'events:subscribe:',
    'events:subscribe:A.b',
    'events:subscribe:a.**',
    'events:emit:a',
    'modules:weather',
    'modules:call:',
    'modules:call:Weather',
    'modules:call:*',
    ' database',
    'database ',
  ])('%j is refused, with what is allowed', (text) => {
    expect(problem(text)).toMatch(/^found .*: .*; allowed is .+\.$/s);
  });

  test('the refusal says what is wrong', () => {
    expect(problem('http:10.0.0.1')).toBe(
      'found "http:10.0.0.1": an IP address is not allowed, name the host; allowed is http:HOST or http:HOST:PORT.',
    );
    expect(problem('root')).toMatch(/no permission has this name; allowed is http:HOST.*, modules:call:NAME\./);
  });

  test('reads back what it writes, and nothing it did not write', () => {
    fc.assert(
      fc.property(permission, (value) => {
        expect(read(formatPermission(value))).toEqual(value);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }),
        fc.constantFrom('', 'http:', 'files:read:/', 'events:subscribe:'),
        (text, start) => {
          const parsed = parsePermission(start + text);
          if (parsed.ok) expect(formatPermission(parsed.permission)).toBe(start + text);
        },
      ),
    );
  });

  test('no host that is read is one that a URL takes for an address', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-fx.]{1,20}$/), (text) => {
        const parsed = parsePermission(`http:${text}`);
        if (parsed.ok) expect(new URL(`http://${text}/`).hostname).toBe(text);
      }),
    );
  });
});

describe('a grant covers', () => {
  test.each([
    ['http:api.example.com', 'http:api.example.com', true],
    ['http:api.example.com', 'http:api.example.com:443', true],
    ['http:api.example.com', 'http:api.example.com:8443', false],
    ['http:api.example.com:8443', 'http:api.example.com', false],
    ['http:api.example.com', 'http:evil-api.example.com', false],
    ['http:*.example.com', 'http:api.example.com', true],
    ['http:*.example.com', 'http:*.example.com', true],
    ['http:*.example.com', 'http:example.com', false],
    ['http:*.example.com', 'http:a.b.example.com', false],
    ['http:*.example.com', 'http:*.b.example.com', false],
    ['http:*.b.example.com', 'http:*.example.com', false],
    ['http:*.example.com', 'http:evilexample.com', false],
    ['http:api.example.com', 'http:*.example.com', false],
    ['files:read:/a', 'files:read:/a/b', true],
    ['files:read:/a', 'files:read:/ab', false],
    ['files:read:/a/b', 'files:read:/a', false],
    ['files:write:/a', 'files:read:/a', false],
    ['events:subscribe:message.*', 'events:subscribe:message.sent', true],
    ['events:subscribe:message.*', 'events:subscribe:message.sent.late', false],
    ['events:subscribe:message.sent', 'events:subscribe:message.*', false],
    ['modules:call:a1', 'modules:call:a1', true],
    ['modules:call:a1', 'modules:call:a2', false],
    ['database', 'users:read', false],
  ])('%s → %s: %s', (granted, asked, expected) => {
    expect(covers(read(granted), read(asked))).toBe(expected);
  });

  test('itself always, and what it covers covers no more than it', () => {
    fc.assert(
      fc.property(permission, (value) => {
        expect(covers(value, value)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(permission, permission, permission, (one, two, three) => {
        if (covers(one, two) && covers(two, three)) expect(covers(one, three)).toBe(true);
      }),
    );
  });

  test('never another capability', () => {
    fc.assert(
      fc.property(permission, permission, (one, two) => {
        if (one.capability !== two.capability) expect(covers(one, two)).toBe(false);
      }),
    );
  });

  test('what is left over is named', () => {
    const asked = ['database', 'http:a.example.com'].map(read);
    expect(notCovered([read('database')], asked).map(formatPermission)).toEqual(['http:a.example.com']);
  });
});

test('every permission has a sentence and a risk', () => {
  fc.assert(
    fc.property(permission, (value) => {
      expect(describePermission(value).sentence).toMatch(/^[A-Z].*\.$/);
      expect(['low', 'medium', 'high']).toContain(describePermission(value).risk);
    }),
  );
  expect(describePermission(read('http:*.example.com'))).toEqual({
    sentence: 'Send data to, and read from, every host directly below example.com.',
    risk: 'high',
  });
});
