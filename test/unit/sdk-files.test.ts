/** `this.files` as an author meets it: over the harness's fake, and word for word the same over the host on a real disk. */
import { mkdirSync } from 'node:fs';
import { BaseModule } from '@plexichat/sdk';
import type { HostBinding } from '@plexichat/sdk/module/host-binding';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { createFakeFiles, createModuleHarness } from '@plexichat/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFilesClient, type FilesClient } from '../../sdk/capabilities/files.ts';
import { openFileRoom } from '../support/file-room.ts';

class FilesModule extends BaseModule {}

async function open(
  files = createFakeFiles({ '/srv/a.txt': 'häuser', '/srv/b/c.bin': { content: Uint8Array.of(255) } }),
) {
  const { module } = await createModuleHarness(FilesModule, { fakes: { files } });
  return { files: module.files, fake: files };
}

const streamOf = (...pieces: unknown[]) =>
  new ReadableStream<never>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece instanceof Error) controller.error(piece);
      else if (piece === undefined) controller.close();
      else controller.enqueue(piece as never);
    },
  });

describe('this.files', () => {
  it('reads text, bytes and streams', async () => {
    const { files } = await open();
    expect(await files.readText('/srv/a.txt')).toBe('häuser');
    expect(await files.readBytes('/srv/b/c.bin')).toEqual(Uint8Array.of(255));
    expect(await new Response(await files.openRead('/srv/a.txt')).text()).toBe('häuser');
    await expect(files.readText('/srv/b/c.bin')).rejects.toThrow('/srv/b/c.bin is no text in UTF-8; use readBytes.');
    await expect(files.readText('/srv/nope')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['text', () => 'new'],
    ['long text', () => 'é'.repeat(300_000)],
    ['no text', () => ''],
    ['bytes', () => new TextEncoder().encode('new')],
    ['a part of bytes', () => new DataView(new TextEncoder().encode('-new-').buffer, 1, 3)],
    ['a buffer', () => new TextEncoder().encode('new').buffer],
    ['no bytes', () => new Uint8Array()],
    ['a stream', () => streamOf('n', new TextEncoder().encode('ew'), '', new Uint8Array())],
    ['no stream to speak of', () => streamOf()],
  ])('writes %s', async (_name, make) => {
    const { files, fake } = await open();
    expect(await files.write('/srv/new/x', make())).toBe(true);
    const text = _name.includes('stream') ? undefined : await new Response(make() as string).text();
    expect(fake.readText('/srv/new/x')).toBe(text ?? (_name === 'a stream' ? 'new' : ''));
  });

  it('leaves what is there with overwrite: false', async () => {
    const { files, fake } = await open();
    expect(await files.write('/srv/a.txt', 'new', { overwrite: false })).toBe(false);
    expect(fake.readText('/srv/a.txt')).toBe('häuser');
  });

  it('throws what the stream of the author failed with', async () => {
    const { files } = await open();
    await expect(files.write('/srv/x', streamOf('a', new Error('upstream is gone')))).rejects.toThrow(
      'upstream is gone',
    );
    await expect(files.write('/srv/x', streamOf({ a: 1 }))).rejects.toThrow('must give bytes or text, found an object');
    expect(await files.stat('/srv/x')).toBeNull();
  });

  it.each([
    ['a.txt', 'must start with "/"'],
    ['/srv/../etc', 'must be plain'],
    ['/srv//a', 'must be plain'],
    ['/srv/', 'must be plain'],
    ['/srv/\0', 'must not contain a NUL'],
    ['/srv/\ud800', 'is no well-formed text'],
    [`/srv/${'x'.repeat(256)}`, 'has a name of more than 255 bytes'],
    [5, 'is no text'],
  ])('says what is wrong with the path %j before it asks the host', async (path, problem) => {
    const { files } = await open();
    const given = path as string;
    const calls = [
      () => files.readText(given),
      () => files.readBytes(given),
      () => files.openRead(given),
      () => files.write(given, ''),
      () => files.list(given),
      () => files.stat(given),
      () => files.remove(given),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(problem);
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(TypeError);
  });

  it('says what is wrong with the other arguments', async () => {
    const { files } = await open();
    const say = (run: Promise<unknown>) => run.catch((error: Error) => `${error.name}: ${error.message}`);
    expect(await say(files.write('/srv/a', { a: 1 } as never))).toBe(
      'TypeError: files.write("/srv/a"): the content must be text, bytes or a ReadableStream, found an object.',
    );
    expect(await say(files.write('/srv/a', 'x', { mode: 1 } as never))).toBe(
      'TypeError: files.write("/srv/a"): the option "mode" does not exist; allowed: overwrite, flush.',
    );
    expect(await say(files.write('/srv/a', 'x', { flush: 1 } as never))).toBe(
      'TypeError: files.write("/srv/a"): flush must be a boolean, found 1.',
    );
    expect(await say(files.list('/srv', { limit: 1001 }))).toBe(
      'TypeError: files.list("/srv"): limit must be a whole number from 1 to 1000, found 1001.',
    );
    expect(await say(files.list('/srv', null as never))).toContain('the options must be an object');
    const read = streamOf('x');
    read.getReader();
    expect(await say(files.write('/srv/a', read))).toContain('the stream is being read already');
  });

  it('throws a PermissionDeniedError that names the permission', async () => {
    const { files } = await open(
      createFakeFiles({ '/srv/a': 'x' }, { grants: ['files:read:/srv', 'files:write:/out'] }),
    );
    expect(await files.readText('/srv/a')).toBe('x');
    for (const run of [() => files.write('/srv/a', 'x'), () => files.remove('/srv/a')]) {
      await expect(run()).rejects.toMatchObject({
        name: 'PermissionDeniedError',
        message: expect.stringContaining('needs the permission files:write:/srv.'),
      });
    }
    await expect(files.readText('/out/a')).rejects.toMatchObject({ name: 'PermissionDeniedError' });
    await expect(files.list('/srv2')).rejects.toMatchObject({ name: 'PermissionDeniedError' });
  });
});

/** The client over the host's capability, with a temporary folder for `/srv`. */
function overHost(): { files: FilesClient; inside: string } {
  const room = openFileRoom();
  const streams = new Map<number, ByteSource>();
  const binding = {
    call: async (_capability: string, method: string, [argument]: readonly unknown[]) => {
      if (method === 'write') {
        const { path, body, ...options } = argument as { path: string; body: { text?: string; stream?: number } };
        const source = body.stream === undefined ? undefined : streams.get(body.stream);
        return room.write(path, source ?? body.text ?? '', options);
      }
      if (method !== 'read') return room.call(method, argument);
      streams.set(0, await room.open(argument as string));
      return { body: { kind: 'stream', stream: 0 } };
    },
    readStream: (id: number) => streams.get(id),
    writeStream: (source: ByteSource) => {
      streams.set(streams.size + 1, source);
      return streams.size;
    },
  } as unknown as HostBinding;
  return { files: createFilesClient(binding), inside: room.inside };
}

describe('the fake of the harness', () => {
  const path = fc.constantFrom('', '/a', '/b', '/a/b', '/a/b/c', '/b/é', '/a b', '/a!', '/../a', '2/a');
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), path, text: fc.string({ maxLength: 3 }), overwrite: fc.boolean() }),
    fc.record({ do: fc.constantFrom('read' as const, 'stat' as const, 'remove' as const), path }),
    fc.record({
      do: fc.constant('list' as const),
      path,
      recursive: fc.boolean(),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  );
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  async function take(files: FilesClient, root: string, given: Step): Promise<unknown> {
    const at = root + given.path;
    const hide = (text: string) => text.replaceAll(root, '');
    const plain = (entry: { path: string; kind: string; size: number }) => [hide(entry.path), entry.kind, entry.size];
    try {
      switch (given.do) {
        case 'write':
          return await files.write(at, given.text, { overwrite: given.overwrite });
        case 'read':
          return await files.readText(at);
        case 'remove':
          return await files.remove(at);
        case 'stat': {
          const entry = await files.stat(at);
          return entry && plain(entry);
        }
        case 'list': {
          const seen = [];
          const { recursive, limit } = given;
          let page = await files.list(at, { recursive, limit });
          seen.push(page.entries.map(plain));
          while (page.cursor !== undefined) {
            page = await files.list(at, { recursive, limit, cursor: page.cursor });
            seen.push(page.entries.map(plain));
          }
          return seen;
        }
      }
    } catch (error) {
      return (error as { code?: string; name: string }).code ?? (error as Error).name;
    }
  }

  it('answers as the host does on a real disk, whatever is done in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const host = overHost();
        const grants = [`files:read:${host.inside}`, `files:write:${host.inside}`];
        const { files } = await open(createFakeFiles({}, { grants }));
        mkdirSync(host.inside, { recursive: true });
        for (const each of steps) {
          expect(await take(files, host.inside, each)).toEqual(await take(host.files, host.inside, each));
        }
      }),
      { numRuns: 60 },
    );
  });
});
