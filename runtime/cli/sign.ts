/** `plexi sign`: makes signing keys, and signs packages with them. */
import type { KeyObject } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { printable } from '../observability/printable.ts';
import { newSigningKey, publisherOf, readSigningKey } from '../packages/signature.ts';
import { writePackage } from '../packages/write-package.ts';
import { openPackage, placePackageFile, readPackageFile, readUnpacked } from './package-file.ts';
import { UserError } from './user-error.ts';

interface SignFlags {
  readonly key?: string;
  readonly newKey?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export function signCommand(): Command {
  return new Command('sign')
    .description(
      'Sign a package with an Ed25519 key. The first signed version that a host installs pins its publisher.',
    )
    .argument('[file]', 'the package')
    .option('--key <file>', 'the signing key')
    .option('--new-key <file>', 'make a signing key, and sign nothing')
    .option('-o, --output <file>', 'where to write the signed package (default: over the package)')
    .option('--json', 'what was signed, as JSON')
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, flags: SignFlags, command: Command) => {
      const { key, newKey } = flags;
      if (newKey !== undefined && file === undefined && key === undefined) return makeKey(newKey, flags);
      if (newKey !== undefined) command.error('error: --new-key stands alone: make the key first, then sign with it');
      if (file === undefined || key === undefined) command.error('error: name a package and its --key, or --new-key');
      else return signFile(file, key, flags);
    });
}

const EXAMPLES = `
Examples:
  $ plexi sign --new-key publisher.key
  $ plexi sign weather-1.0.0.zip --key publisher.key`;

async function makeKey(file: string, { json }: SignFlags): Promise<void> {
  const pem = newSigningKey();
  try {
    await writeFile(file, pem, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UserError(
      `${file}: ${isThere ? 'there is such a file already; it is left alone' : (error as Error).message}`,
    );
  }
  const publisher = publisherOf(readSigningKey(pem));
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ file, publisher }, null, 2)}\n`
      : `${printable(file)} is the signing key; keep it to yourself, and keep a copy.\nThe publisher, which may be told to everybody:\n${publisher}\n`,
  );
}

async function signFile(file: string, keyFile: string, { output, json }: SignFlags): Promise<void> {
  const key = await readKeyFile(keyFile);
  const signed = await openPackage(await readPackageFile(file), async (opened, folder) => {
    if (!opened.isPacked) throw new UserError(`${file} has no integrity.json to sign; make it with "plexi pack".`);
    return { name: opened.name, version: opened.version, bytes: writePackage(await readUnpacked(opened, folder), key) };
  });
  const { name, version, bytes } = signed;
  const target = output ?? file;
  await placePackageFile(resolve(target), bytes);
  const publisher = publisherOf(key);
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ file: target, name, version, publisher }, null, 2)}\n`
      : `${printable(target)}: ${name} ${version} is signed by ${publisher}\n`,
  );
}

const MAX_KEY_BYTES = 16 * 1024;

/** @throws UserError */
async function readKeyFile(file: string): Promise<KeyObject> {
  const handle = await open(file, 'r').catch((error: Error) => {
    throw new UserError(`${file}: the key cannot be read: ${error.message}`);
  });
  try {
    const { size, mode } = await handle.stat();
    if (size > MAX_KEY_BYTES) throw new UserError(`${file}: this is no signing key.`);
    // Boundary: who can read it can publish in this name.
    if ((mode & 0o077) !== 0) throw new UserError(`${file}: others may read this key; make it yours alone: chmod 600`);
    return readSigningKey(await handle.readFile('utf8'));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: this is no Ed25519 key; make one with "plexi sign --new-key ${file}.new".`);
  } finally {
    await handle.close();
  }
}
