import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWebRealm, judge, runInNode, type WebRealm } from '../support/web-realm.ts';

let realm: WebRealm;
beforeAll(async () => {
  realm = await createWebRealm();
});

async function expectSame(code: string): Promise<void> {
  const [ours, nodes] = await Promise.all([judge(realm.run, code), judge(runInNode, code)]);
  expect(ours, code).toBe(nodes);
}

const hostileBytes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(
      0xc0,
      0xc2,
      0xe0,
      0xed,
      0xef,
      0xbb,
      0xbf,
      0xf0,
      0xf4,
      0xf5,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xff,
      0xfe,
      0xd8,
      0xdc,
    ),
  ),
  { maxLength: 24 },
);

describe('TextEncoder', () => {
  it('encodes any text, lone surrogates included, as Node does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (text) => expectSame(`[...new TextEncoder().encode(${JSON.stringify(text)})]`),
      ),
    );
  });

  it('writes whole characters only into a buffer that is too small', async () => {
    for (let size = 0; size < 12; size++) {
      await expectSame(
        `(() => { const b = new Uint8Array(${size}); const r = new TextEncoder().encodeInto('aä€😀\\ud800x', b); return [r.read, r.written, [...b]]; })()`,
      );
    }
  });
});

describe('TextDecoder', () => {
  it.each(['utf-8', 'utf-16le', 'utf-16be', 'latin1'])('decodes any bytes as %s as Node does', async (encoding) => {
    await fc.assert(
      fc.asyncProperty(hostileBytes, fc.boolean(), fc.boolean(), (bytes, fatal, ignoreBOM) =>
        // Node has no fatal mode for latin1 that differs, since every byte is a character.
        expectSame(
          `new TextDecoder('${encoding}', { fatal: ${fatal && encoding !== 'latin1'}, ignoreBOM: ${ignoreBOM} }).decode(new Uint8Array([${bytes}]))`,
        ),
      ),
      { numRuns: 400 },
    );
  });

  it('decodes the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostileBytes,
        fc.integer({ min: 0, max: 24 }),
        fc.integer({ min: 0, max: 24 }),
        (bytes, a, b) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          const decode = (part: number[]) => `d.decode(new Uint8Array([${part}]), { stream: true })`;
          return expectSame(
            `(() => { const d = new TextDecoder(); return ${decode(bytes.slice(0, from))} + ${decode(bytes.slice(from, to))} + ${decode(bytes.slice(to))} + d.decode(); })()`,
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('knows the labels and refuses others', async () => {
    for (const label of ['UTF8', ' utf-8 ', 'unicode', 'ascii', 'ISO-8859-1', 'utf-16', 'nope']) {
      await expectSame(`new TextDecoder(${JSON.stringify(label)}).encoding`);
    }
  });
});

describe('atob and btoa', () => {
  it('agree with Node on any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 255 })), (bytes) =>
        expectSame(
          `(() => { const s = String.fromCharCode(...${JSON.stringify(bytes)}); return [btoa(s), atob(btoa(s)) === s]; })()`,
        ),
      ),
    );
  });

  it('agree with Node on any text that may be base64', async () => {
    const text = fc
      .array(fc.constantFrom('A', 'b', '9', '+', '/', '=', '==', ' ', '\n', '-', '_', 'é'), { maxLength: 9 })
      .map((all) => all.join(''));
    await fc.assert(
      fc.asyncProperty(text, (given) => expectSame(`atob(${JSON.stringify(given)})`)),
      { numRuns: 500 },
    );
  });

  it('refuse a character above U+00FF', () => expectSame(`btoa('€')`));
});
