import { describe, expect, it } from 'vitest';
import { welcome } from '../../runtime/cli/welcome.ts';
import type { Host } from '../../runtime/compose.ts';
import { createIdleModule } from '../../runtime/modules/idle-module.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { fakeModule } from '../support/fake-modules.ts';

function hostWith(reason: string): Host {
  const registry = new Registry();
  registry.add(fakeModule({ name: 'fine', endpoints: { 'GET /hello': {} } }));
  const { manifest } = fakeModule({ name: 'bad', prefix: '/api/v1/bad', endpoints: {} });
  registry.add(createIdleModule(manifest, 'failed', [reason]));
  return { registry, url: 'http://127.0.0.1:1' } as Host;
}

describe('what the terminal shows', () => {
  it('has a token and a line that works', () => {
    const text = welcome(hostWith('no'), { token: 'a.b.c', login: 'http://x/console/login?code=y' }, '.plexi');
    expect(text).toContain('curl -H "Authorization: Bearer a.b.c" http://127.0.0.1:1/api/v1/fine/hello');
  });

  it('has the command that makes a token, when none may be shown', () => {
    const text = welcome(hostWith('no'), undefined, '/srv/data');
    expect(text).toContain('npx plexi token --sub operator');
    expect(text).toContain('--data /srv/data');
    expect(text).not.toContain('curl');
  });

  it('is not steered by the words of a module, and none of them passes for a row', () => {
    const text = welcome(hostWith('\u001b[2Jno\n  weather  running  /api/v1/weather'), { token: 'a.b.c', login: 'http://x/console/login?code=y' }, '.plexi');
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/^\s*weather/m);
  });
});
