import { describe, expect, it, onTestFinished } from 'vitest';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import { LifeEvents } from '../../runtime/management/life-events.ts';
import { mountWatch } from '../../runtime/management/mount-watch.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { ModuleLogs } from '../../runtime/observability/module-logs.ts';
import { AuditTrail } from '../../runtime/state/audit-trail.ts';
import { bearer, fakeGateway, fakeModule } from '../support/fake-modules.ts';
import { operatorDesks } from '../support/operator-desks.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { sends, stranger } from '../support/stranger.ts';
import { until } from '../support/until.ts';

withoutPlexiVariables();

async function watchedHost() {
  const desks = await operatorDesks({ modules: [fakeModule({ name: 'weather' })] });
  const logs = new ModuleLogs();
  const trail = new AuditTrail({ state: desks.state, onFailure: () => {} });
  const life = new LifeEvents({ trail, actorOn: () => undefined });
  const parts = { trail, life, logs, figures: createMetrics().modules, usageOf: () => undefined };
  const gateway = fakeGateway([], {
    mount: (platform, tools) => mountWatch(platform, tools, { ...parts, modules: desks.modules }),
  });
  const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const { authorization = '' } = (await bearer({ sub: 'olga', permissions: ['modules:read'] })) as Record<
    string,
    string
  >;
  const at = ['--url', server.url, '--token', authorization.replace('Bearer ', '')];
  return { logs, trail, at };
}

describe('plexi modules logs', () => {
  it('shows lines oldest first, whose they are, and nothing that steers a terminal', async () => {
    const { logs, at } = await watchedHost();
    logs.write('weather', 'module', 'info', 'it rains\u001b[2J\nhost: forged', '{"city":"Oslo\u202e"}');
    logs.write('weather', 'host', 'warn', 'a thread ended');
    const { code, output, errors } = await plexi('modules', 'logs', 'weather', ...at);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}it rains.*\n {4}host: forged \{"city":"Oslo.*"\}\n\S+ WARN {2}host: a thread ended\n$/,
    );
    for (const bad of ['\u001b', '\u202e']) expect(output).not.toContain(bad);
    expect((await plexi('modules', 'logs', 'weather', '--level', 'error', ...at)).output).toContain(
      'no lines of the level error',
    );
    const json = await plexi('modules', 'logs', 'weather', '--json', '--limit', '1', ...at);
    expect(JSON.parse(json.output).lines).toMatchObject([{ message: 'a thread ended' }]);
  });

  it('--follow goes on with what comes, until the host ends', async () => {
    const { logs, at } = await watchedHost();
    logs.write('weather', 'module', 'warn', 'before');
    const following = plexi('modules', 'logs', 'weather', '--follow', '--level', 'warn', '--json', ...at);
    await until(() => logs.followers('weather') === 1);
    logs.write('weather', 'module', 'info', 'not wanted');
    logs.write('weather', 'module', 'error', 'after');
    logs.close();
    const { code, output } = await following;
    expect(code).toBe(0);
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).message),
    ).toEqual(['before', 'after']);
  });

  it('--follow comes back after a broken connection, and says where it left off', async () => {
    const seen: (string | undefined)[] = [];
    const event = (id: number, name: string, data: object) =>
      `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    const line = (message: string) => ({ at: new Date(0).toISOString(), level: 'info', source: 'module', message });
    const at = await stranger((response, request) => {
      seen.push(request.headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (seen.length === 1) response.write(event(41, 'line', line('first')), () => response.destroy());
      else response.end(event(42, 'line', line('second')) + event(43, 'end', { code: 'host_ends' }));
    });
    const { code, output } = await plexi('modules', 'logs', 'weather', '--follow', '--url', at.url, '--token', 'a.b.c');
    expect([code, seen]).toEqual([0, [undefined, '41']]);
    expect(output).toMatch(/first\n.*second\n$/);
  });

  it('--follow ends with 1 or 3 where there is nothing to follow', async () => {
    const { at } = await watchedHost();
    expect((await plexi('modules', 'logs', 'nobody', '--follow', ...at)).code).toBe(1);
    expect((await plexi('modules', 'logs', '../x', '--follow', ...at)).code).toBe(1);
    expect((await plexi('modules', 'logs', 'weather', '--limit', '0', ...at)).code).toBe(2);
    expect((await plexi('modules', 'logs', 'weather', '--level', 'loud', ...at)).code).toBe(2);
    const strange = await stranger(sends({ lines: [] }));
    const { code, errors } = await plexi(
      'modules',
      'logs',
      'weather',
      '--follow',
      '--url',
      strange.url,
      '--token',
      'a.b.c',
    );
    expect([code, errors]).toEqual([3, expect.stringContaining('cannot be followed')]);
  });

  it('--follow does not keep an event without an end', async () => {
    const endless = await stranger((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${'x'.repeat(1_000_000)}`);
    });
    const { code, errors } = await plexi(
      'modules',
      'logs',
      'weather',
      '--follow',
      '--url',
      endless.url,
      '--token',
      'a.b.c',
    );
    expect([code, errors]).toEqual([3, expect.stringContaining('too long')]);
  });
});

describe('plexi audit list', () => {
  it('shows who did what, and what came of it', async () => {
    const { trail, at } = await watchedHost();
    const details = { permissions: ['http:x', 'users:read'], requestId: 'hidden', credential: 'hidden' };
    const id = await trail.begin({ action: 'module.grant', operator: 'olga\u001b[2J', module: 'weather', details });
    await trail.end(id, { outcome: 'done', details });
    trail.note({ action: 'module.state', module: 'weather', details: { from: 'running', to: 'crashed' } }, 'done');
    const { code, output, errors } = await plexi('audit', 'list', '--module', 'weather', ...at);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^WHEN +WHO +WHAT +MODULE +OUTCOME\n/);
    expect(output).toMatch(/\(host\) +module\.state +weather +done\n {4}from: running, to: crashed\n/);
    expect(output).toMatch(/module\.grant +weather +done\n {4}permissions: \["http:x","users:read"\]\n/);
    for (const bad of ['\u001b', 'hidden']) expect(output).not.toContain(bad);
    const page = await plexi('audit', 'list', '--limit', '1', ...at);
    const before = /More: --before (\d+)\n$/.exec(page.output)?.[1] ?? '';
    expect((await plexi('audit', 'list', '--before', before, ...at)).output).toContain('module.grant');
    expect((await plexi('audit', 'list', '--operator', 'nobody', ...at)).output).toBe('There are no such entries.\n');
    expect(JSON.parse((await plexi('audit', 'list', '--json', ...at)).output).entries).toHaveLength(2);
    expect((await plexi('audit', 'list', '--module', 'NO!', ...at)).code).toBe(1);
  });
});
