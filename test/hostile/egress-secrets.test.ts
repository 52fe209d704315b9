/** A module that wants a secret of its own back, from an upstream that repeats what it is asked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EgressModule, egressWorld } from '../support/egress-world.ts';

const SECRETS: Readonly<Record<string, string>> = {
  plain: 'pass-word1',
  quote: "pa'ss-word1",
  space: 'correct horse (battery)',
  digits: '41 b/c word1',
  percent: '100%41word1',
  letters: 'pä$$-wörd1',
  host: 'Swordfish-word1',
};

let upstream: Server;
let port: number;
let asked: string[];
let secrets: Record<string, string>;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'http://x');
    const value = searchParams.get('k') ?? '';
    const locations: Readonly<Record<string, string>> = {
      '/as-it-came': `/landed${search}`,
      '/as-a-form': `/landed?${new URLSearchParams({ k: value })}`,
      '/in-small-letters': `/landed${search.replace(/%../g, (code) => code.toLowerCase())}`,
      '/decoded': `/landed?k=${value.replace(/[^\x20-\x7e]/g, '')}`,
      '/elsewhere': `http://${value.toLowerCase()}.evil.test/`,
    };
    const headers = {
      link: `<${encodeURI(value)}>`,
      'x-json': JSON.stringify(search),
      'x-raw': Buffer.from(value).toString('latin1'),
    };
    if (pathname === '/landed')
      response.writeHead(200, `OK ${searchParams.get('k')?.replace(/[^\x20-\x7e]/g, '?')}`, headers).end();
    else response.writeHead(302, { location: locations[pathname] ?? '/landed' }).end();
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = (upstream.address() as AddressInfo).port;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

async function withModule<T>(work: (module: EgressModule) => Promise<T>): Promise<T> {
  asked = [];
  const world = egressWorld({
    grants: { demo: [`http:localhost:${port}`, 'http:api.test', 'http:api.test:8080'] },
    secrets,
    settings: {
      allowPrivate: new Set([`localhost:${port}`]),
      resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    },
  });
  try {
    return await work(world.open('demo'));
  } finally {
    await world.egress.close();
  }
}

/** All that the module gets to see besides the body. */
const seenOf = ({ url, statusText, headers }: HttpResponse): string => JSON.stringify([url, statusText, headers]);

describe('an upstream that redirects to', () => {
  const paths = ['as-it-came', 'as-a-form', 'in-small-letters', 'decoded'];
  it.each(paths)('/%s does not give the secret away, neither in the address nor in headers', async (path) => {
    secrets = { ...SECRETS };
    await withModule(async (module) => {
      for (const name of Object.keys(SECRETS)) {
        const response = await module.fetch(`http://localhost:${port}/${path}?k={{secret.${name}}}`);
        module.cancel(response);
        expect(asked.at(-1), name).toContain('/landed');
        expect(seenOf(response).toLowerCase(), name).not.toMatch(/w(ö|%c3%b6)?o?rd1/);
        if (path === 'as-it-came') expect(response.url).toContain(`k={{secret.${name}}}`);
      }
    });
  });

  it('/as-it-came does not, whatever the secret is', async () => {
    const printable = fc.string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 30 });
    secrets = {};
    await withModule((module) =>
      fc.assert(
        fc.asyncProperty(printable, fc.constantFrom('as-it-came', 'as-a-form'), async (secret, path) => {
          secrets.any = secret;
          const response = await module.fetch(`http://localhost:${port}/${path}?k={{secret.any}}`);
          module.cancel(response);
          expect(response.url).toBe(`http://localhost:${port}/landed?k={{secret.any}}`);
          const header = response.headers.find(([name]) => name === 'x-json')?.[1];
          expect(header).toBe('"?k={{secret.any}}"');
        }),
        { numRuns: 60 },
      ),
    );
  });

  it('a host with the name of the secret does not give it away in the refusal', async () => {
    secrets = { ...SECRETS };
    await withModule(async (module) => {
      const refused = module.fetch(`http://localhost:${port}/elsewhere?k={{secret.host}}`);
      await expect(refused).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
      await expect(refused).rejects.toThrow('http:{{secret.host}}.evil.test');
    });
  });
});

describe('a secret over plain http', () => {
  it.each(['http://api.test/?k={{secret.plain}}', 'http://api.test:8080/{{secret.plain}}', 'http://api.test/'])(
    'does not go out: %s',
    async (url) => {
      secrets = { ...SECRETS };
      await withModule(async (module) => {
        const refused = module.fetch(url, { headers: [['x-key', '{{secret.plain}}']] });
        await expect(refused).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
        await expect(refused).rejects.toThrow('https only; write https://');
        expect(asked).toEqual([]);
      });
    },
  );

  it('goes to a service that the operator lists as their own', async () => {
    secrets = { ...SECRETS };
    await withModule(async (module) => {
      module.cancel(await module.fetch(`http://localhost:${port}/landed?k={{secret.plain}}`));
      expect(asked).toEqual(['/landed?k=pass-word1']);
    });
  });
});
