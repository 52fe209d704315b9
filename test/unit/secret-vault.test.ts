import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SecretVault, VaultRefusal } from '../../runtime/state/secret-vault.ts';
import { newVaultKey } from '../../runtime/state/vault-key-file.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hex = ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString('hex');

async function openVault(
  folder: string,
  state: MemoryState,
  environment: Record<string, string> = {},
): Promise<{ vault: SecretVault; notices: string[] }> {
  const notices: string[] = [];
  const vault = new SecretVault({
    folder,
    state,
    environment,
    now: () => 1_000,
    onNotice: (text) => notices.push(text),
  });
  await vault.open();
  return { vault, notices };
}

async function filledVault() {
  const folder = tempFolder();
  const state = openMemoryState();
  const { vault } = await openVault(folder, state);
  await vault.set('weather', 'api_key', '"open-sesame"', 'olga');
  await vault.set('weather', 'smtp.password', '"swordfish"', 'olga');
  await vault.set('mail', 'api_key', '"other"', 'oscar');
  return { folder, state, vault, file: join(folder, 'vault.key') };
}
const read = async (vault: SecretVault, module = 'weather') => Object.fromEntries(await vault.read(module));

it('keeps secrets sealed, and opens them for their module only', async () => {
  const { vault, state } = await filledVault();
  expect(await read(vault)).toEqual({ api_key: '"open-sesame"', 'smtp.password': '"swordfish"' });
  expect(await read(vault, 'mail')).toEqual({ api_key: '"other"' });
  expect(await read(vault, 'nobody')).toEqual({});
  expect(state.dump()).not.toMatch(/sesame|swordfish|other/);
  expect(await vault.list('weather')).toEqual([
    { module: 'weather', setting: 'api_key', setAt: 1_000, setBy: 'olga' },
    { module: 'weather', setting: 'smtp.password', setAt: 1_000, setBy: 'olga' },
  ]);
});

it('a host without secrets makes no key, the first secret makes one for its owner only', async () => {
  const folder = tempFolder();
  const { vault } = await openVault(folder, openMemoryState());
  expect(existsSync(join(folder, 'vault.key'))).toBe(false);
  await vault.set('weather', 'api_key', '"x"', 'olga');
  expect(statSync(join(folder, 'vault.key')).mode & 0o777).toBe(0o600);
});

it('a key file that others could read is closed to them', async () => {
  const { folder, state, file } = await filledVault();
  chmodSync(file, 0o644);
  await openVault(folder, state);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('a row that was moved to another module is refused, and so is one of another setting', async () => {
  const { state, vault } = await filledVault();
  await state.query("UPDATE secrets SET module = 'thief' WHERE module = 'mail'");
  await expect(vault.read('thief')).rejects.toThrow('The secret setting api_key of thief cannot be opened');
  await state.query("UPDATE secrets SET setting = 'webhook' WHERE setting = 'smtp.password'");
  await expect(vault.read('weather')).rejects.toThrow('webhook of weather cannot be opened');
});

it('rotation seals everything with a new key, and the old one is gone', async () => {
  const { folder, state, vault, file } = await filledVault();
  const [before, rows] = [readFileSync(file, 'utf8').trim(), state.dump()];
  expect(await vault.rotate()).toEqual({ sealed: 3 });
  const after = readFileSync(file, 'utf8').trim();
  expect(after).toMatch(/^[0-9a-f]{64}$/);
  expect(after).not.toBe(before);
  expect(state.dump()).not.toBe(rows);
  expect(await read(vault)).toMatchObject({ api_key: '"open-sesame"' });
  const { vault: next } = await openVault(folder, state);
  expect(await read(next)).toMatchObject({ api_key: '"open-sesame"' });
  writeFileSync(file, before);
  const { vault: old, notices } = await openVault(folder, state);
  await expect(old.read('weather')).rejects.toThrow('is not here');
  expect(notices.join()).toContain('3 secret settings cannot be opened');
});

it('a rotation that was cut off before anything was sealed goes on at the next start', async () => {
  const { folder, state, file } = await filledVault();
  const [old, next] = [readFileSync(file, 'utf8').trim(), hex(newVaultKey())];
  writeFileSync(file, `${next}\n${old}\n`);
  const { vault } = await openVault(folder, state);
  expect(await read(vault)).toMatchObject({ api_key: '"open-sesame"' });
  expect(readFileSync(file, 'utf8').trim()).toBe(next);
});

it('a rotation that fails leaves both keys, and what is sealed can be opened', async () => {
  const { folder, state, vault, file } = await filledVault();
  const run = state.run.bind(state);
  state.run = async (statements) => {
    if (statements.some(({ sql }) => sql.startsWith('UPDATE'))) throw new Error('the disk is full');
    return run(statements);
  };
  await expect(vault.rotate()).rejects.toThrow('the disk is full');
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  expect(await read(vault)).toMatchObject({ api_key: '"open-sesame"' });
  state.run = run;
  const { vault: next } = await openVault(folder, state);
  expect(await read(next)).toMatchObject({ api_key: '"open-sesame"' });
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
});

it('is not held up by the draft of a host that was killed, and a start removes such drafts', async () => {
  const { folder, state, vault, file } = await filledVault();
  const left = [`vault.key.${process.pid}`, 'vault.key.00112233445566ff'];
  const leave = () => {
    for (const name of left) writeFileSync(join(folder, name), '', { mode: 0o600 });
  };
  leave();
  expect(await vault.rotate()).toEqual({ sealed: 3 });
  const key = readFileSync(file, 'utf8');
  writeFileSync(file, `${key}${hex(newVaultKey())}\n`);
  writeFileSync(join(folder, 'vault.key.backup'), 'an operator put it there');
  const { vault: next, notices } = await openVault(folder, state);
  expect([await read(next, 'mail'), notices]).toEqual([{ api_key: '"other"' }, []]);
  expect(readdirSync(folder).filter((name) => name.startsWith('vault.key'))).toEqual(['vault.key', 'vault.key.backup']);
});

it('does not rotate away the key of what it cannot open', async () => {
  const { state, vault, file } = await filledVault();
  await state.query("UPDATE secrets SET module = 'thief' WHERE module = 'mail'");
  const before = readFileSync(file, 'utf8');
  await expect(vault.rotate()).rejects.toThrow('thief api_key');
  expect(readFileSync(file, 'utf8')).toBe(before);
});

it('what is set while a rotation runs is sealed with the new key', async () => {
  const { folder, state, vault } = await filledVault();
  await Promise.all([vault.rotate(), vault.set('weather', 'late', '"l"', 'olga'), vault.rotate()]);
  const { vault: next, notices } = await openVault(folder, state);
  expect([await read(next), notices]).toEqual([
    { api_key: '"open-sesame"', 'smtp.password': '"swordfish"', late: '"l"' },
    [],
  ]);
});

it('a key from the environment takes over from the file, and a new one from the old one', async () => {
  const { folder, state, file } = await filledVault();
  const [first, second] = [hex(newVaultKey()), hex(newVaultKey())];
  const taken = await openVault(folder, state, { PLEXI_VAULT_KEY: first });
  expect(taken.notices).toEqual([expect.stringContaining('vault.key of the data folder is not needed any more')]);
  expect(await read(taken.vault)).toMatchObject({ api_key: '"open-sesame"' });
  writeFileSync(file, hex(newVaultKey()));
  const turned = await openVault(folder, state, { PLEXI_VAULT_KEY: second, PLEXI_VAULT_KEY_OLD: first });
  expect(await read(turned.vault)).toMatchObject({ api_key: '"open-sesame"' });
  const alone = await openVault(folder, state, { PLEXI_VAULT_KEY: second });
  expect(await read(alone.vault)).toMatchObject({ api_key: '"open-sesame"' });
  await expect(alone.vault.rotate()).rejects.toThrow(VaultRefusal);
});

it('a wrong key opens nothing, says how many, and leaves all as it was', async () => {
  const { folder, state, file } = await filledVault();
  writeFileSync(file, hex(newVaultKey()));
  const rows = state.dump();
  const { vault, notices } = await openVault(folder, state);
  expect(notices).toEqual([expect.stringContaining('3 secret settings cannot be opened')]);
  await expect(vault.read('weather')).rejects.toThrow('is not here');
  expect(state.dump()).toBe(rows);
});

it('with no key at all says what is missing', async () => {
  const { state } = await filledVault();
  const { vault } = await openVault(tempFolder(), state);
  await expect(vault.read('weather')).rejects.toThrow('the vault has no key (vault.key is gone');
});

it.each([
  [{ PLEXI_VAULT_KEY: 'hunter2hunter2' }, 'PLEXI_VAULT_KEY holds no key'],
  [{ PLEXI_VAULT_KEY: 'ab'.repeat(32), PLEXI_VAULT_KEY_OLD: 'hunter2' }, 'PLEXI_VAULT_KEY_OLD holds no key'],
  [{ PLEXI_VAULT_KEY_OLD: 'ab'.repeat(32) }, 'without PLEXI_VAULT_KEY'],
])('does not open with %j', async (environment, message) => {
  const opened = openVault(tempFolder(), openMemoryState(), environment as Record<string, string>);
  await expect(opened).rejects.toThrow(message);
  await expect(opened).rejects.not.toThrow('hunter2');
});

it('a key file of garbage is refused, and its text is not repeated', async () => {
  const folder = tempFolder({ 'vault.key': 'hunter2\n' });
  await expect(openVault(folder, openMemoryState())).rejects.toThrow('line 1, holds no key');
  await expect(openVault(folder, openMemoryState())).rejects.not.toThrow('hunter2');
});
