import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { createRequestSecrets } from '../../runtime/capabilities/request-secrets.ts';
import { checkSettingsSchema } from '../../runtime/modules/manifest-settings.ts';
import { splitSecrets } from '../../runtime/modules/secrets.ts';

function manifest(settings: unknown, schema: unknown): Manifest {
  const value = { module_name: 'demo', module_version: '1.0.0', settings, settings_schema: schema };
  return Value.Default(ManifestSchema, value) as Manifest;
}
const secret = { type: 'string', writeOnly: true };

describe('secret settings', () => {
  it('leave placeholders behind and go to the host', () => {
    const { manifest: shown, secrets } = splitSecrets(
      manifest({ key: 'open-sesame', colour: 'green' }, { properties: { key: secret, colour: { type: 'string' } } }),
    );
    expect(shown.settings).toMatchObject({ key: '{{secret.key}}', colour: 'green' });
    expect([...secrets]).toEqual([['key', 'open-sesame']]);
  });

  it('are found wherever a schema can say writeOnly', () => {
    const { manifest: shown, secrets } = splitSecrets(
      manifest(
        { smtp: { password: 'p1', host: 'h' }, keys: ['p2', 'p3'], byName: { 'a b': 'p4', a_b: 'p5' } },
        {
          properties: {
            smtp: { properties: { password: secret } },
            keys: { items: secret },
            byName: { additionalProperties: secret },
          },
        },
      ),
    );
    expect(JSON.stringify(shown)).not.toMatch(/p[1-5]/);
    expect([...secrets.values()].sort()).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
    expect(shown.settings).toMatchObject({ smtp: { password: '{{secret.smtp.password}}', host: 'h' } });
  });

  it('that are no text go as JSON', () => {
    const { secrets } = splitSecrets(manifest({ pair: { id: 7 } }, { properties: { pair: { writeOnly: true } } }));
    expect(secrets.get('pair')).toBe('{"id":7}');
  });

  it('leave the manifest of the host as it was', () => {
    const full = manifest({ key: 'open-sesame' }, { properties: { key: secret } });
    splitSecrets(full);
    expect(full.settings).toMatchObject({ key: 'open-sesame' });
  });

  it('that nobody has set stay away', () => {
    const { manifest: shown, secrets } = splitSecrets(manifest({}, { properties: { key: secret } }));
    expect(shown.settings).not.toHaveProperty('key');
    expect(secrets.size).toBe(0);
  });

  it('come out of their placeholders again, whatever they are called', () => {
    const names = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', 'constructor', 'api-key', 'a.b'));
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (values) => {
        const properties = Object.fromEntries(Object.keys(values).map((name) => [name, secret]));
        const { manifest: shown, secrets } = splitSecrets(manifest({ ...values }, { properties }));
        const request = createRequestSecrets(
          (name) => ({ value: secrets.get(name) ?? '' }),
          granted('http:api.example.com'),
        );
        for (const [name, value] of Object.entries(values)) {
          expect(request.fillHeader(String((shown.settings as Record<string, unknown>)[name]))).toBe(value);
        }
      }),
    );
  });
});

describe('hosts that a secret is for', () => {
  const forHosts = { type: 'string', writeOnly: true, 'x-hosts': ['api.example.com'] };

  it('are kept beside each secret whose setting names some', () => {
    const properties = { key: forHosts, keys: { type: 'array', items: forHosts }, free: { writeOnly: true } };
    const { secretHosts } = splitSecrets(manifest({ key: 'a', keys: ['b'], free: 'c' }, { properties }));
    expect(Object.fromEntries(secretHosts)).toEqual({ key: ['api.example.com'], 'keys.0': ['api.example.com'] });
  });

  it('are names, with a port perhaps, beside writeOnly', () => {
    const problems = (node: object) => checkSettingsSchema({ properties: { key: node } }).map(({ message }) => message);
    expect(problems(forHosts)).toEqual([]);
    expect(problems({ writeOnly: true, 'x-hosts': ['localhost', 'api.example.com:8443'] })).toEqual([]);
    for (const hosts of [
      [],
      '*',
      ['*.example.com'],
      ['https://example.com'],
      ['API.example.com'],
      [1],
      ['a:0'],
      ['a.'],
    ])
      expect(problems({ writeOnly: true, 'x-hosts': hosts }).join()).toContain('a list of 1 to 20 hosts');
    expect(problems({ 'x-hosts': ['example.com'] }).join()).toContain('writeOnly: true belongs beside it');
  });
});

describe('placeholders in a request', () => {
  const values: Readonly<Record<string, string>> = { key: 'open/se&same', short: 'ab' };
  const secretOf = (name: string, hosts?: readonly string[]) =>
    values[name] === undefined ? undefined : { value: values[name], hosts };
  const request = createRequestSecrets(secretOf, granted('http:api.example.com'));

  it('are filled into path and query, encoded, and nowhere else of a URL', () => {
    const url = new URL('https://{{secret.key}}.example.com/a/{{secret.key}}?q={{secret.key}}#{{secret.key}}');
    const filled = request.fillUrl(url);
    expect(filled.hostname).toBe(url.hostname);
    expect(filled.pathname + filled.search).toBe('/a/open%2Fse%26same?q=open%2Fse%26same');
    expect(filled.hash).not.toContain('same');
  });

  it('are taken out again of what the other side made of them', () => {
    request.fillUrl(new URL('https://example.com/{{secret.key}}'));
    expect(request.hide('https://example.com/open%2Fse%26same/next?key=open/se&same')).toBe(
      'https://example.com/{{secret.key}}/next?key={{secret.key}}',
    );
  });

  it('do not garble everything when a secret is too short to be one', () => {
    request.fillHeader('{{secret.short}}');
    expect(request.hide('about abstract')).toBe('about abstract');
  });

  it('that name no secret are refused by name', () => {
    expect(() => request.fillHeader('{{secret.nope}}')).toThrow('There is no secret setting "nope".');
  });

  it.each([
    ['a host that is granted by name', 'http:api.example.com', undefined],
    ['a host that x-hosts names', 'http:*.example.com', ['api.example.com']],
    ['a host and port that x-hosts names', 'http:api.example.com:8443', ['api.example.com:8443']],
  ])('are filled in for %s', (_name, grant, hosts) => {
    const target = granted(grant);
    const secrets = createRequestSecrets((name) => secretOf(name, hosts), target);
    expect(secrets.fillHeader('Bearer {{secret.key}}')).toBe('Bearer open/se&same');
  });

  it.each<[string, string, readonly string[] | undefined]>([
    ['a host that is granted by a star', 'http:*.example.com', undefined],
    ['a host that x-hosts does not name', 'http:api.example.com', ['other.example.com']],
    ['a host below one that x-hosts names', 'http:api.example.com', ['example.com']],
    ['another port than x-hosts names', 'http:api.example.com', ['api.example.com:8443']],
    ['any host, when x-hosts is empty', 'http:api.example.com', []],
  ])('are not filled in for %s', (_name, grant, hosts) => {
    const secrets = createRequestSecrets((name) => secretOf(name, hosts), granted(grant));
    for (const fill of [
      () => secrets.fillHeader('Bearer {{secret.key}}'),
      () => secrets.fillUrl(new URL('https://example.com/{{secret.key}}')),
    ]) {
      expect(fill).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
      expect(fill).not.toThrow('same');
    }
    expect(secrets.fillHeader('nothing secret')).toBe('nothing secret');
  });

  it('are not filled in over plain http, where everybody on the way reads along', () => {
    for (const grant of ['http:api.example.com', 'http:api.example.com:8080']) {
      const secrets = createRequestSecrets((name) => secretOf(name), granted(grant, 'http:'));
      const fill = () => secrets.fillHeader('{{secret.key}}');
      expect(fill).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
      const place = grant.endsWith('8080') ? 'api.example.com:8080' : 'api.example.com:80';
      expect(fill).toThrow(`write https://, or let the operator list ${place} in egress.allow_private`);
      expect(fill).not.toThrow('same');
    }
    const named = createRequestSecrets(
      (name) => secretOf(name, ['api.example.com']),
      granted('http:*.example.com', 'http:'),
    );
    expect(() => named.fillUrl(new URL('http://api.example.com/{{secret.key}}'))).toThrow('over https only');
  });

  it('are filled in over plain http for a service of the operator’s own', () => {
    const secrets = createRequestSecrets((name) => secretOf(name), granted('http:api.example.com:8080', 'http:', true));
    expect(secrets.fillHeader('{{secret.key}}')).toBe('open/se&same');
  });

  it.each(['%', '%25', '%2525', '%2', '%254'])(
    'are not filled in behind %s, which would swallow their first letters',
    (before) => {
      const url = new URL(`https://api.example.com/?q=${before}{{secret.key}}`);
      expect(() => request.fillUrl(url)).toThrow('A percent sign stands right before {{secret.key}}');
    },
  );

  it('are a few in one request', () => {
    const many = createRequestSecrets((name) => ({ value: `value of ${name}` }), granted('http:api.example.com'));
    for (let index = 0; index < 16; index++) many.fillHeader(`{{secret.a${index}}} {{secret.a0}}`);
    expect(() => many.fillHeader('{{secret.a16}}')).toThrow('16 secrets at most');
  });
});

function granted(text: string, protocol = 'https:', mayBePrivate = false) {
  const parsed = parsePermission(text);
  if (!parsed.ok || parsed.permission.capability !== 'http') throw new Error(text);
  const { port } = parsed.permission;
  const url = new URL(`${protocol}//api.example.com${port === undefined ? '' : `:${port}`}/`);
  return { grant: parsed.permission, url, mayBePrivate };
}
