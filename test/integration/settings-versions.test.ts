/** Settings of installed packages: each version of a module has its own, and a rollback brings back what it had. */
import { afterEach, expect, it } from 'vitest';
import { type LifeRoom, openLifeRoom } from '../support/life-room.ts';

let room: LifeRoom;
afterEach(() => room.close());

const TIMEOUT_MS = 90_000;
const routes = "this.router.get('/settings', {}, () => this.config.settings);";
const config = (days: string): string =>
  `settings: { city: Bonn }\nsettings_schema: { properties: { city: { type: string }, days: ${days} } }`;

const inForce = async (): Promise<unknown> => (await room.host.fetch('/api/v1/demo/settings', { token: null })).json();

async function set(values: object): Promise<void> {
  expect((await room.ask('PUT', '/demo/settings', { values })).status).toBe(200);
}

it(
  'carry over in an upgrade as far as they fit, and are found again after a rollback',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0', routes, config: config('{ type: integer }') });
    await set({ city: 'Ulm', days: 7 });
    expect(await inForce()).toMatchObject({ city: 'Ulm', days: 7 });
    await room.install({ version: '1.1.0', routes, config: config('{ type: boolean, default: true }') });
    expect(await inForce()).toMatchObject({ city: 'Ulm', days: true });
    await set({ city: 'Kiel' });
    await room.ask('POST', '/demo/rollback', { version: '1.0.0' });
    expect(await inForce()).toMatchObject({ city: 'Ulm', days: 7 });
  },
  TIMEOUT_MS,
);

it(
  'set while a version fails to take over are those of the one that goes on, and the next try has them',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0', routes, config: config('{ type: integer }') });
    await set({ city: 'Ulm' });
    const body = "validateConfig() { if (this.config.settings.city === 'Ulm') throw new Error('not there'); }";
    expect((await room.install({ version: '1.1.0', routes, body, config: config('{ type: integer }') })).status).toBe(
      422,
    );
    expect(await inForce()).toMatchObject({ city: 'Ulm' });
    await set({ city: 'Kiel' });
    await room.install({ version: '1.1.0', routes, body, config: config('{ type: integer }') });
    expect([await room.served(), await inForce()]).toMatchObject(['1.1.0', { city: 'Kiel' }]);
  },
  TIMEOUT_MS,
);
