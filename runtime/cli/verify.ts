/** `plexi verify`: whether a package is whole, and who signed it. */
import { Command } from 'commander';
import { printable } from '../observability/printable.ts';
import { openPackage, readPackageFile } from './package-file.ts';
import { UserError } from './user-error.ts';

interface VerifyFlags {
  readonly publisher?: string;
  readonly json?: boolean;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check a package as a host would, and its signature; exit code 1 when it is refused or not signed.')
    .argument('<file>', 'the package')
    .option('--publisher <key>', 'the only publisher that is accepted, in base64')
    .option('--json', 'what was found, as JSON')
    .addHelpText('after', EXAMPLES)
    .action(verify);
}

const EXAMPLES = `
Examples:
  $ plexi verify weather-1.0.0.zip
  $ plexi verify weather-1.0.0.zip --publisher 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=`;

async function verify(file: string, { publisher: expected, json }: VerifyFlags): Promise<void> {
  const opened = await openPackage(await readPackageFile(file), async (found) => found);
  const { name, version, hash, publisher = null, bytes, files } = opened;
  if (publisher === null) throw new UserError(`${file}: ${name} ${version} is whole, but nobody signed it.`);
  if (expected !== undefined && expected !== publisher) {
    throw new UserError(`${file}: ${name} ${version} is signed by ${publisher}, not by ${expected}.`);
  }
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ file, name, version, publisher, hash, bytes, files }, null, 2)}\n`
      : `${printable(file)}: ${name} ${version} is whole\nsigned by  ${publisher}\ncontent    ${hash}\n`,
  );
}
