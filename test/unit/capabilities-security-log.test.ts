import { BaseModule, logSecurityEvent, PermissionDeniedError } from '@plexichat/sdk';
import { toAuthorError } from '@plexichat/sdk/module/errors';
import { createModuleHarness } from '@plexichat/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecurityLogCapability } from '../../runtime/capabilities/security-log.ts';

class Guard extends BaseModule {
  override setupRoutes(): void {
    this.router.post('/report', {}, async ({ body }) => {
      const { name, details } = body as { name: string; details?: Record<string, unknown> };
      await (details === undefined ? this.logSecurityEvent(name) : logSecurityEvent(name, details));
      return { ok: true };
    });
  }
}

describe('logSecurityEvent', () => {
  it('keeps what a module reports, for its tests', async () => {
    const harness = await createModuleHarness(Guard);
    const report = (body: unknown) => harness.request('POST', '/report', { body });
    expect((await report({ name: 'login.failed', details: { userId: 'alice', n: [1, null] } })).status).toBe(200);
    expect((await report({ name: 'strange' })).status).toBe(200);
    expect(harness.securityEvents).toEqual([
      { name: 'login.failed', details: { userId: 'alice', n: [1, null] } },
      { name: 'strange', details: {} },
    ]);
    await harness.close();
  });

  it.each([
    ['Login', {}, /must look like login\.failed .* found "Login"/],
    ['a'.repeat(65), {}, /at most 64 characters/],
    ['', {}, /found ""/],
    [7, {}, /found 7/],
    ['ok', 'text', /details must be an object such as \{ userId \}, found "text"/],
    ['ok', null, /found null/],
    ['ok', { a: 'x'.repeat(2_000) }, /have 2008 characters as JSON, at most 2000 are allowed/],
  ])('%j, %j is explained to its author', async (name, details, message) => {
    const harness = await createModuleHarness(Guard);
    await expect(harness.module.logSecurityEvent(name as string, details as Record<string, unknown>)).rejects.toThrow(
      message,
    );
    expect(harness.securityEvents).toEqual([]);
    await harness.close();
  });
});

it('details that are no JSON are explained to their author', async () => {
  const harness = await createModuleHarness(Guard);
  await expect(harness.module.logSecurityEvent('ok', { a: 1n })).rejects.toThrow(/details are not JSON/);
  await harness.close();
});

describe('the host side of securityLog', () => {
  function open() {
    const reports: unknown[] = [];
    const { write } = createSecurityLogCapability({ report: (...report) => void reports.push(report) })({
      module: 'weather',
      session: () => {
        throw new Error('not used');
      },
      admitLine: () => true,
      signal: new AbortController().signal,
    });
    return { reports, write: (...args: unknown[]): void => void write?.(...args) };
  }

  it('stamps the module that calls', () => {
    const { reports, write } = open();
    write({ name: 'login.failed', details: '{}' });
    expect(reports).toEqual([['weather', 'login.failed', '{}']]);
  });

  it.each([
    [],
    [null],
    ['login.failed'],
    [{ name: 'login.failed' }],
    [{ name: 'login.failed', details: {} }],
    [{ name: 'login.failed', details: '' }],
    [{ name: 'Login failed', details: '{}' }],
    [{ name: 'a\nb', details: '{}' }],
    [{ name: 'x', details: 'x'.repeat(2_001) }],
    [{ name: 'x', details: '{}', module: 'mail' }],
    [{ name: 'x', details: '{}' }, 'more'],
  ])('refuses %j', (...args) => {
    const { reports, write } = open();
    expect(() => write(...args)).toThrow(expect.objectContaining({ code: 'INVALID_CALL' }));
    expect(reports).toEqual([]);
  });

  it('takes nothing but a name and a text, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 3 }), (args) => {
        const { reports, write } = open();
        try {
          write(...args);
        } catch {
          expect(reports).toEqual([]);
        }
      }),
    );
  });
});

describe('a denied permission', () => {
  it('is named to the author', () => {
    const message = 'Looking up users needs the permission users:read.';
    const error = toAuthorError({ code: 'PERMISSION_DENIED', message });
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED', message, permission: 'users:read' });
    expect(new PermissionDeniedError('No.').permission).toBeUndefined();
    expect(new PermissionDeniedError('Reading needs the permission files:read:/my data/a.b.').permission).toBe(
      'files:read:/my data/a.b',
    );
  });
});
