import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPermission, type Permission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { covers } from '../../runtime/capabilities/permission-cover.ts';
import { type AskingManifest, askedBy, type GrantBook, openGrantBook } from '../../runtime/modules/grant-book.ts';
import { viewPermissions } from '../../runtime/modules/permissions-view.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';

function permission(text: string): Permission {
  const parsed = parsePermission(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.permission;
}

function asking(required: readonly string[], optional: readonly string[] = [], version = '1.0.0'): AskingManifest {
  return {
    module_name: 'weather',
    module_version: version,
    required_permissions: [...required],
    optional_permissions: [...optional],
  };
}

async function openBook(state: MemoryState, settings: Record<string, string[]> = {}, now = () => 1_000) {
  const failures: unknown[] = [];
  const warnings: string[] = [];
  const book = await openGrantBook({
    state,
    settings,
    onWarning: (module, message) => void warnings.push(`${module}: ${message}`),
    onFailure: (error) => void failures.push(error),
    now,
  });
  return { book, failures, warnings };
}

const granted = (book: GrantBook, module = 'weather') => book.granted(module).map(formatPermission);
const missing = (book: GrantBook, manifest: AskingManifest) => book.missing(manifest).map(formatPermission);
const V1 = asking(['http:api.example.com'], ['users:read']);

describe('what a module was granted', () => {
  it('is what plexi.yaml says and what operators said, and nothing before it was admitted', async () => {
    const { book } = await openBook(openMemoryState(), { weather: ['database'] });
    expect(granted(book)).toEqual([]);
    await book.admit(V1);
    expect([granted(book), missing(book, V1)]).toEqual([['database'], ['http:api.example.com']]);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    expect([granted(book), missing(book, V1)]).toEqual([['database', 'http:api.example.com'], []]);
    expect(granted(book, 'constructor')).toEqual([]);
    expect(granted(book, '__proto__')).toEqual([]);
    expect(book.held(V1).map(({ source, by }) => [source, by])).toEqual([
      ['plexi.yaml', undefined],
      ['operator', 'olga'],
    ]);
  });

  it('is there again after a restart', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    const { book: next } = await openBook(state);
    expect(granted(next)).toEqual([]);
    await next.admit(V1);
    expect(granted(next)).toEqual(['http:api.example.com']);
    expect(next.held(V1)[0]).toMatchObject({ source: 'operator', by: 'olga', at: 1_000 });
  });

  it('is only what the manifest asks for, or a part of it', async () => {
    const { book } = await openBook(openMemoryState());
    const manifest = asking(['http:*.example.com'], ['files:read:/data']);
    await book.admit(manifest);
    await book.grant(manifest, [permission('http:api.example.com'), permission('files:read:/data/in')], 'olga');
    expect(granted(book)).toEqual(['http:api.example.com', 'files:read:/data/in']);
    expect(missing(book, manifest)).toEqual(['http:*.example.com']);
    for (const beyond of [
      'http:example.com',
      'http:a.b.example.com',
      'files:read:/dat',
      'files:write:/data',
      'database',
    ]) {
      await expect(book.grant(manifest, [permission(beyond)], 'olga')).rejects.toThrow(
        `weather does not ask for ${beyond}`,
      );
    }
  });

  it('all or nothing is granted', async () => {
    const { book } = await openBook(openMemoryState());
    await book.admit(V1);
    const both = [permission('http:api.example.com'), permission('database')];
    await expect(book.grant(V1, both, 'olga')).rejects.toThrow('it asks for http:api.example.com, users:read');
    expect(granted(book)).toEqual([]);
  });

  it('is not there when it could not be kept', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    state.isAway = true;
    await expect(book.grant(V1, [permission('users:read')], 'olga')).rejects.toMatchObject({
      code: 'STATE_UNAVAILABLE',
    });
    expect(granted(book)).toEqual([]);
  });

  it('that the manifest asks for no more, in the same version, is not in force', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    const { book: next } = await openBook(state);
    await next.admit(asking(['http:api.example.com']));
    expect(granted(next)).toEqual(['http:api.example.com']);
  });

  it('warns of plexi.yaml once, and leaves out what is no permission', async () => {
    const { book, warnings } = await openBook(openMemoryState(), { weather: ['root', 'database'] });
    await book.admit(V1);
    expect([granted(book), warnings]).toEqual([
      ['database'],
      [expect.stringContaining('weather: grants: found "root"')],
    ]);
  });
});

describe('what is taken back', () => {
  it('is gone at once, before it was written anywhere', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    const done = book.revoke('weather', [permission('users:read')]);
    expect(granted(book)).toEqual(['http:api.example.com']);
    await done;
    const { book: next } = await openBook(state);
    await next.admit(V1);
    expect(granted(next)).toEqual(['http:api.example.com']);
  });

  it('stays away while the host lives, also when that could not be written', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    state.isAway = true;
    await expect(book.revoke('weather', [permission('users:read')])).rejects.toMatchObject({
      code: 'STATE_UNAVAILABLE',
    });
    expect(granted(book)).toEqual(['http:api.example.com']);
  });

  it('does not come back by a grant that was under way', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, [permission('users:read')], 'olga');
    const again = book.grant(V1, [permission('users:read'), permission('http:api.example.com')], 'oscar');
    await Promise.all([again, book.revoke('weather', [permission('users:read')])]);
    expect(granted(book)).toEqual(['http:api.example.com']);
    const { book: next } = await openBook(state);
    await next.admit(V1);
    expect(granted(next)).toEqual(['http:api.example.com']);
  });

  it('must have been granted by an operator', async () => {
    const { book } = await openBook(openMemoryState(), { weather: ['http:api.example.com'] });
    await book.admit(V1);
    await expect(book.revoke('weather', [permission('http:api.example.com')])).rejects.toThrow('by plexi.yaml');
    await expect(book.revoke('weather', [permission('users:read')])).rejects.toThrow('was not granted to weather');
    expect(granted(book)).toEqual(['http:api.example.com']);
  });
});

describe('another version', () => {
  const V2 = asking(['http:api.example.com', 'database'], [], '2.0.0');

  it('keeps what it asks for again, and waits for what is new', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    expect(missing(book, V2)).toEqual(['database']);
    expect(granted(book)).toEqual(['http:api.example.com', 'users:read']);
    await book.admit(V2);
    expect([granted(book), missing(book, V2)]).toEqual([['http:api.example.com'], ['database']]);
    expect(book.held(V2)[0]).toMatchObject({ by: 'olga', at: 1_000 });
    const { book: next } = await openBook(state);
    await next.admit(V2);
    expect(granted(next)).toEqual(['http:api.example.com']);
  });

  it('that is rolled back finds its own grants again, without what was taken back meanwhile', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    await book.admit(V2);
    await book.admit(V1);
    expect(granted(book).sort()).toEqual(['http:api.example.com', 'users:read']);
    await book.admit(V2);
    await book.revoke('weather', [permission('users:read')]);
    await book.admit(V1);
    expect(granted(book)).toEqual(['http:api.example.com']);
  });

  it('asks again for what a version between had dropped', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    await book.admit(asking([], [], '1.5.0'));
    const { book: next } = await openBook(state);
    await next.admit(V2);
    expect([granted(next), missing(next, V2)]).toEqual([[], ['http:api.example.com', 'database']]);
  });

  it('can be granted while the one before still runs, which gets nothing of it', async () => {
    const { book } = await openBook(openMemoryState());
    await book.admit(V1);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    await book.grant(V2, [permission('database')], 'olga');
    expect([granted(book), missing(book, V2)]).toEqual([['http:api.example.com'], []]);
    await book.admit(V2);
    expect(granted(book).sort()).toEqual(['database', 'http:api.example.com']);
  });
});

describe('two versions that run at once', () => {
  const V2 = asking(['database'], [], '2.0.0');

  it('have what either was granted, until one has ended; nothing of it is written for the other', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    await book.grant(V2, [permission('database')], 'olga');
    expect(granted(book)).toEqual(['http:api.example.com']);
    const endNew = book.runBeside(V2);
    expect(granted(book).sort()).toEqual(['database', 'http:api.example.com']);
    const endOld = book.runBeside(V1);
    await book.admit(V2);
    endNew();
    expect(granted(book).sort()).toEqual(['database', 'http:api.example.com']);
    endOld();
    expect(granted(book)).toEqual(['database']);
    const { book: again } = await openBook(state);
    await again.admit(V2);
    expect(granted(again)).toEqual(['database']);
  });

  it('both lose at once what is taken back', async () => {
    const { book } = await openBook(openMemoryState());
    await book.admit(V1);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    await book.grant(V2, [permission('database')], 'olga');
    book.runBeside(V2);
    const revoked = book.revoke('weather', [permission('database')]);
    expect(granted(book)).toEqual(['http:api.example.com']);
    await revoked;
  });
});

describe('a module that is gone', () => {
  it('has nothing while it is away, and what it had when it comes back; once it is forgotten, nothing', async () => {
    const state = openMemoryState();
    const { book } = await openBook(state);
    await book.admit(V1);
    await book.grant(V1, [permission('http:api.example.com')], 'olga');
    book.dismiss('weather');
    expect([granted(book), book.keptFor]).toEqual([[], ['weather']]);
    await book.admit(V1);
    expect(granted(book)).toEqual(['http:api.example.com']);
    await book.forget('weather');
    await book.admit(V1);
    expect([granted(book), book.keptFor]).toEqual([[], []]);
    const { book: again } = await openBook(state);
    await again.admit(V1);
    expect(granted(again)).toEqual([]);
  });
});

describe('whatever is granted, taken back and upgraded', () => {
  const texts = ['http:*.example.com', 'http:api.example.com', 'http:api.example.com:8443', 'database', 'users:read'];
  const asks = fc.subarray(texts);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('grant' as const), texts: asks }),
    fc.record({ kind: fc.constant('revoke' as const), texts: asks }),
    fc.record({
      kind: fc.constant('admit' as const),
      texts: asks,
      version: fc.constantFrom('1.0.0', '1.1.0', '2.0.0'),
    }),
  );

  it('nothing is in force that no operator granted or that the version does not ask for; a restart changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const state = openMemoryState();
        const { book } = await openBook(state);
        const yes = new Set<string>();
        const asked = new Map<string, string[]>();
        let manifest = asking([]);
        await book.admit(manifest);
        for (const one of steps) {
          if (one.kind === 'admit') {
            // One version is one manifest.
            const wanted = asked.get(one.version) ?? one.texts;
            asked.set(one.version, wanted);
            manifest = asking([], one.version === '1.0.0' ? [] : wanted, one.version);
            await book.admit(manifest);
          } else if (one.kind === 'grant') {
            const ok = await book.grant(manifest, one.texts.map(permission), 'olga').then(
              () => true,
              () => false,
            );
            if (ok) for (const text of one.texts) yes.add(text);
          } else {
            for (const text of one.texts) {
              await book.revoke('weather', [permission(text)]).then(
                () => yes.delete(text),
                () => {},
              );
            }
          }
        }
        for (const grant of book.granted('weather')) {
          expect(yes.has(formatPermission(grant))).toBe(true);
          expect(askedBy(manifest).some((ask) => covers(ask, grant))).toBe(true);
        }
        const { book: next } = await openBook(state);
        await next.admit(manifest);
        expect(granted(next).sort()).toEqual(granted(book).sort());
      }),
      { numRuns: 60 },
    );
  });
});

describe('what was used', () => {
  it('is counted by grant, written at the end, and what was not is reported', async () => {
    const state = openMemoryState();
    let now = 1_000;
    const { book } = await openBook(state, { weather: ['database'] }, () => now);
    await book.admit(V1);
    await book.grant(V1, askedBy(V1), 'olga');
    expect(viewPermissions(V1, book).unused).toEqual(['database', 'http:api.example.com', 'users:read']);
    now = 5_000;
    for (const grant of book.granted('weather').slice(0, 2))
      for (let use = 0; use < 3; use++) book.uses.note('weather', grant);
    await book.close();
    const { book: next } = await openBook(state, { weather: ['database'] });
    await next.admit(V1);
    const view = viewPermissions(V1, next);
    expect(view.unused).toEqual(['users:read']);
    expect(
      view.granted.map(({ permission: text, uses, source, last_used_at }) => [text, source, uses, last_used_at]),
    ).toEqual([
      ['database', 'plexi.yaml', 3, '1970-01-01T00:00:05.000Z'],
      ['http:api.example.com', 'operator', 3, '1970-01-01T00:00:05.000Z'],
      ['users:read', 'operator', 0, null],
    ]);
    expect(view.asked[0]).toEqual({
      permission: 'http:api.example.com',
      risk: 'medium',
      sentence: 'Send data to, and read from, api.example.com.',
      required: true,
      granted: true,
    });
  });

  it('before it was granted again counts as not used', async () => {
    const state = openMemoryState();
    let now = 1_000;
    const { book } = await openBook(state, {}, () => now);
    await book.admit(V1);
    await book.grant(V1, [permission('users:read')], 'olga');
    for (const grant of book.granted('weather')) book.uses.note('weather', grant);
    await book.revoke('weather', [permission('users:read')]);
    now = 9_000;
    await book.grant(V1, [permission('users:read')], 'olga');
    expect(viewPermissions(V1, book).unused).toEqual(['users:read']);
  });

  it('is not lost when it cannot be written at once', async () => {
    const state = openMemoryState();
    const { book, failures } = await openBook(state, { weather: ['database'] });
    await book.admit(V1);
    for (const grant of book.granted('weather')) book.uses.note('weather', grant);
    state.isAway = true;
    await book.close();
    expect(failures).toHaveLength(1);
    state.isAway = false;
    await book.close();
    const { book: next } = await openBook(state);
    expect(next.uses.of('weather', 'database')).toMatchObject({ uses: 1 });
  });
});
