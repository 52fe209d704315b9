/** A host that is killed while it installs or upgrades: afterwards the old version is there, or the new one, whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type HostPlace, hostPlace } from '../support/host-place.ts';
import { packModule } from '../support/packages.ts';

/** PLEXI_TEST_KILLS=50 for a long look. */
const KILLS = Number(process.env.PLEXI_TEST_KILLS ?? 10);
const EACH_MS = 30_000;

it(
  `is whole after each of ${KILLS} kills at any moment of an upgrade`,
  async () => {
    const place = await hostPlace({
      modules: { 'readme/config.yaml': 'module_name: readme\nmodule_version: 1.0.0\n' },
    });
    let host = place.launch();
    await host.ready;
    const startedAt = performance.now();
    let current = 1;
    expect((await install(place, current)).status).toBe(201);
    const tookMs = performance.now() - startedAt;
    const seen = { old: 0, new: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const next = current + 1;
      const sent = install(place, next).catch(() => undefined);
      // The moments are spread over all of it, a little beyond its end.
      await sleep(((kill + Math.random()) / KILLS) * tookMs * 1.5);
      await host.end('SIGKILL');
      const answer = await sent;
      host = place.launch();
      await host.ready;
      const served = await servedBy(place);
      const isNew = served === `${next}.0.0`;
      expect([`${current}.0.0`, `${next}.0.0`], await whyNot(place)).toContain(served);
      // What was answered is kept.
      if (answer?.ok === true) expect(isNew).toBe(true);
      if (isNew) current = next;
      seen[isNew ? 'new' : 'old'] += 1;
      const view = (await (await place.fetch('/api/v1/modules/demo/versions')).json()) as {
        versions: { version: string; role: string }[];
      };
      expect(view.versions.find(({ role }) => role === 'in_force')?.version).toBe(served);
    }
    expect(seen.old + seen.new).toBe(KILLS);
    // It goes on from there, with the same bytes that may be there in part.
    expect((await install(place, current + 1)).status).toBe(200);
    expect(await servedBy(place)).toBe(`${current + 1}.0.0`);
  },
  (KILLS + 2) * EACH_MS,
);

function install(place: HostPlace, major: number): Promise<Response> {
  return place.fetch('/api/v1/modules', {
    method: 'POST',
    body: Buffer.from(packModule({ version: `${major}.0.0` })),
    headers: { 'content-type': 'application/zip' },
  });
}

async function whyNot(place: HostPlace): Promise<string> {
  const { state, reasons } = (await (await place.fetch('/api/v1/modules/demo')).json()) as Record<string, unknown>;
  return `${state}: ${reasons}`;
}

async function servedBy(place: HostPlace): Promise<unknown> {
  const response = await place.fetch('/api/v1/demo/version');
  return ((await response.json()) as { version?: unknown }).version;
}
