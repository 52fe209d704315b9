/** `plexi pack`: a module's folder as one file that a host installs. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { printable } from '../observability/printable.ts';
import { showBytes } from '../packages/package-bounds.ts';
import { packFolder } from './pack-folder.ts';
import { placePackageFile } from './package-file.ts';

interface PackFlags {
  readonly output?: string;
  readonly json?: boolean;
}

export function packCommand(): Command {
  return new Command('pack')
    .description(
      'Bundle a module into one ZIP; the same folder gives the same bytes. Refuses what a host would refuse.',
    )
    .argument('<folder>', 'the folder of the module')
    .option('-o, --output <file>', 'the file to write (default: NAME-VERSION.zip)')
    .option('--json', 'what was written, as JSON')
    .addHelpText('after', '\nExamples:\n  $ plexi pack examples/weather\n  $ plexi pack . -o weather.zip')
    .action(pack);
}

async function pack(folder: string, { output, json }: PackFlags): Promise<void> {
  const { name, version, bytes, files, leftOut, warnings } = await packFolder(folder);
  const file = output ?? `${name}-${version}.zip`;
  await placePackageFile(resolve(file), bytes);
  for (const warning of warnings) process.stderr.write(`${printable(warning)}\n`);
  for (const path of leftOut) process.stderr.write(`${printable(path)}: left out, since its name starts with a dot\n`);
  const facts = { file, name, version, bytes: bytes.length, files };
  process.stdout.write(
    json === true
      ? `${JSON.stringify(facts, null, 2)}\n`
      : `${printable(file)}: ${name} ${version}, ${files.length} files, ${showBytes(bytes.length)}\n`,
  );
}
