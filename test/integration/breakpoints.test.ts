/** A module in debug mode, in a real host: it stops, an operator looks and lets it go on; or nobody does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const CONFIG = 'module_version: 1.0.0\ntasks: { enabled: false }\n';
const CODE = `
  import { BaseModule, moduleEndpoint, type EndpointContext } from '@plexichat/sdk';
  export default class Demo extends BaseModule {
    @moduleEndpoint('GET /stop')
    async stop({ signal, user }: EndpointContext) {
      const secret = (this.config.settings as any).key;
      await this.debug.breakpoint('in the middle', { user, secret, self: this }, { signal });
      return { passed: true };
    }
    @moduleEndpoint('GET /short', { timeout: 1 })
    async short() {
      await this.debug.breakpoint('short', null);
      return { passed: true };
    }
  }`;

let at: TestHost;
let operator: string;
beforeAll(async () => {
  at = await startTestHost({
    files: {
      'looked/config.yaml': `module_name: looked\n${CONFIG}settings: { debug: true, key: hush-hush }\nsettings_schema: { properties: { key: { type: string, writeOnly: true } } }`,
      'looked/module.ts': CODE,
      'selfish/config.yaml': `module_name: selfish\n${CONFIG}settings: { debug: true }`,
      'selfish/module.ts': CODE,
      'plain/config.yaml': `module_name: plain\n${CONFIG}`,
      'plain/module.ts': CODE,
    },
    config: 'diagnostics: [looked]',
  });
  operator = await at.token({ sub: 'op', permissions: ['modules:manage'] });
});
afterAll(() => at.close());

interface Shown {
  readonly id: string;
  readonly label: string;
  readonly module: string;
  readonly locals: Record<string, unknown>;
}

async function list(): Promise<Shown[]> {
  const response = await at.fetch('/api/v1/debug/breakpoints', { token: operator });
  expect(response.status).toBe(200);
  return ((await response.json()) as { breakpoints: Shown[] }).breakpoints;
}

describe('a breakpoint', () => {
  it('shows its locals to an operator, no secret among them, and goes on when it is resumed', async () => {
    const answer = at.fetch('/api/v1/looked/stop');
    let shown: Shown[] = [];
    await until(async () => {
      shown = await list();
      return shown.length === 1;
    });
    expect(shown[0]).toMatchObject({
      module: 'looked',
      label: 'in the middle',
      locals: { user: { id: 'alice' }, secret: '{{secret.key}}' },
    });
    expect(JSON.stringify(shown)).not.toContain('hush');
    const resume = `/api/v1/debug/breakpoints/${shown[0]?.id}/resume`;
    expect((await at.fetch(resume, { method: 'POST', token: operator })).status).toBe(200);
    expect(await (await answer).json()).toEqual({ passed: true });
    expect(await list()).toEqual([]);
    expect(at.lines.some((line) => line.audit === true && line.action === 'breakpoint.resume')).toBe(true);
  });

  it('holds nobody longer than the deadline of the request', async () => {
    const response = await at.fetch('/api/v1/looked/short');
    expect([200, 504]).toContain(response.status);
    await until(async () => (await list()).length === 0);
  });

  it('is passed when nobody but the module itself says that it is in debug mode, until an operator does', async () => {
    expect(await (await at.fetch('/api/v1/selfish/stop')).json()).toEqual({ passed: true });
    const said = at.lines.filter(({ module, msg }) => module === 'selfish' && msg.includes('passes its breakpoints'));
    expect(said).toHaveLength(1);
    const settings = '/api/v1/modules/selfish/settings';
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ values: { debug: true } });
    expect((await at.fetch(settings, { method: 'PUT', headers, body, token: operator })).status).toBe(200);
    const answer = at.fetch('/api/v1/selfish/stop');
    await until(async () => (await list()).length === 1);
    const [shown] = await list();
    await at.fetch(`/api/v1/debug/breakpoints/${shown?.id}/resume`, { method: 'POST', token: operator });
    expect(await (await answer).json()).toEqual({ passed: true });
  });

  it('is not there when the module is not in debug mode', async () => {
    expect(await (await at.fetch('/api/v1/plain/stop')).json()).toEqual({ passed: true });
    expect(await (await at.fetch('/api/v1/plain/short')).json()).toEqual({ passed: true });
  });
});
