import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealedWith, seal, UnsealError, unseal } from '../../runtime/state/vault.ts';
import { type Keyring, parseVaultKey, toVaultKey } from '../../runtime/state/vault-key.ts';
import { newVaultKey } from '../../runtime/state/vault-key-file.ts';

const KEYS: Keyring = { current: newVaultKey(), old: [] };
const PLACE = { module: 'weather', setting: 'api_key' };
const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'];
const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const name = fc.stringMatching(/^[a-z][a-z0-9_.]{1,20}$/);

function refused(sealed: string, place = PLACE, keys = KEYS): string {
  try {
    unseal(sealed, place, keys);
  } catch (error) {
    expect(error).toBeInstanceOf(UnsealError);
    return (error as Error).message;
  }
  throw new Error(`opened: ${sealed}`);
}

describe('a sealed text', () => {
  it('opens at its place with its key, whatever it says', () => {
    fc.assert(
      fc.property(text, name, name, (value, module, setting) => {
        const place = { module, setting };
        expect(unseal(seal(value, place, KEYS), place, KEYS)).toBe(value);
      }),
    );
  });

  it('is another one each time, and holds nothing of the value', () => {
    const value = 'open-sesame-open-sesame';
    const all = Array.from({ length: 50 }, () => seal(value, PLACE, KEYS));
    expect(new Set(all).size).toBe(50);
    for (const sealed of all) {
      expect(Buffer.from(sealed.split('.').at(-1) ?? '', 'base64url').includes('sesame')).toBe(false);
    }
  });

  it('with any one character changed does not open', () => {
    const sealed = seal('open-sesame', PLACE, KEYS);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...ALPHABET), (at, other) => {
        fc.pre(sealed[at] !== other);
        expect(refused(sealed.slice(0, at) + other + sealed.slice(at + 1))).not.toContain('sesame');
      }),
      { numRuns: 500 },
    );
  });

  it('that is cut anywhere, or longer than it was, does not open', () => {
    const sealed = seal('open-sesame', PLACE, KEYS);
    for (let length = 0; length < sealed.length; length++) refused(sealed.slice(0, length));
    for (const more of ['A', 'AAAA', '=', '.', '\n', '\0', ' ']) refused(sealed + more);
  });

  it('that is cut to its tag and iv only does not open', () => {
    const [form, id, iv, content = ''] = seal('open-sesame', PLACE, KEYS).split('.');
    const bytes = Buffer.from(content, 'base64url');
    for (const part of [bytes.subarray(-16), bytes.subarray(0, 16), bytes.subarray(0, -4), Buffer.alloc(0)]) {
      refused([form, id, iv, part.toString('base64url')].join('.'));
    }
  });

  it('does not open for another module or another setting, however alike the names', () => {
    fc.assert(
      fc.property(name, name, name, name, (module, setting, otherModule, otherSetting) => {
        fc.pre(module !== otherModule || setting !== otherSetting);
        const sealed = seal('open-sesame', { module, setting }, KEYS);
        refused(sealed, { module: otherModule, setting: otherSetting });
      }),
    );
    refused(seal('x', { module: 'a', setting: 'b.c' }, KEYS), { module: 'a.b', setting: 'c' });
  });

  it('does not open with another key, also one that calls itself the same', () => {
    const sealed = seal('open-sesame', PLACE, KEYS);
    expect(refused(sealed, PLACE, { current: newVaultKey(), old: [] })).toContain(KEYS.current.id);
    const impostor = { id: KEYS.current.id, bytes: newVaultKey().bytes };
    refused(sealed, PLACE, { current: impostor, old: [] });
  });

  it('opens with an old key for as long as there is one', () => {
    const sealed = seal('open-sesame', PLACE, KEYS);
    const next = newVaultKey();
    expect(unseal(sealed, PLACE, { current: next, old: [KEYS.current] })).toBe('open-sesame');
    expect([isSealedWith(sealed, KEYS.current), isSealedWith(sealed, next)]).toEqual([true, false]);
  });
});

describe('a key', () => {
  it('is 32 bytes as hexadecimal digits or as base64', () => {
    const { bytes, id } = newVaultKey();
    for (const written of [Buffer.from(bytes).toString('hex'), Buffer.from(bytes).toString('base64')]) {
      expect(parseVaultKey(` ${written}\n`, 'PLEXI_VAULT_KEY')).toEqual({ id, bytes: Buffer.from(bytes) });
    }
  });

  it.each(['', 'hunter2', 'ab'.repeat(31), 'ab'.repeat(33), 'zz'.repeat(32), 'correct horse battery staple'])(
    'that is none is not repeated: %j',
    (written) => {
      const message = (() => {
        try {
          parseVaultKey(written, 'PLEXI_VAULT_KEY');
          return 'taken';
        } catch (error) {
          return (error as Error).message;
        }
      })();
      expect(message).toMatch(/^PLEXI_VAULT_KEY holds no key; allowed are 32 random bytes/);
      if (written !== '') expect(message).not.toContain(written);
    },
  );

  it('has a name that does not hold it', () => {
    const key = newVaultKey();
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(Buffer.from(key.bytes).toString('hex')).not.toContain(key.id);
    expect(() => toVaultKey(new Uint8Array(16))).toThrow('32 bytes');
  });
});
