/** Makes the package of a module's folder, and opens it the way a host would before anybody gets it. */
import type { Bundle } from '../modules/bundle.ts';
import { BundleError } from '../modules/bundle-error.ts';
import { createChores } from '../modules/chores.ts';
import { discoverModule } from '../modules/discover.ts';
import { PackageError } from '../packages/package-error.ts';
import { MAP_FILE, MODULE_FILE } from '../packages/package-layout.ts';
import { writePackage } from '../packages/write-package.ts';
import { openPackage } from './package-file.ts';
import { readCopiedFiles } from './read-copied-files.ts';
import { UserError } from './user-error.ts';

export interface PackedModule {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
  readonly files: readonly string[];
  /** Hidden files, which no package holds. */
  readonly leftOut: readonly string[];
  readonly warnings: readonly string[];
}

/** @throws UserError with everything that is wrong */
export async function packFolder(folder: string): Promise<PackedModule> {
  const found = await discoverModule(folder);
  if (!found.ok) throw new UserError(found.reasons.join('\n'));
  const { name, manifest } = found;
  const chores = createChores();
  try {
    const bundle = await chores.bundle(found.folder, name);
    const { files, leftOut } = await readCopiedFiles(found.folder);
    for (const [path, text] of moduleFiles(bundle)) files.set(path, Buffer.from(text));
    const bytes = writePackage(files);
    const opened = await openPackage(bytes, async (unpacked, at) => {
      // The second bundle is the one that a host will make of it.
      await chores.bundle(at, name);
      return unpacked.files;
    });
    const warnings = bundle.warnings.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
    return { name, version: manifest.module_version, bytes, files: opened, leftOut, warnings };
  } catch (error) {
    throw error instanceof BundleError || error instanceof PackageError ? new UserError(error.message) : error;
  } finally {
    await chores.close();
  }
}

const HEAD = `import * as sdk from '@plexichat/sdk';\nconst exported = ((sdk) => {\n`;
const TAIL = `})(sdk);\nexport default exported.default;\n//# sourceMappingURL=${MAP_FILE}\n`;
/** Lines without mappings. */
const HEAD_MAPPINGS = ';;';

/** The bundle is the body of a function; this makes an ES module of it, which is what every other module is. */
function moduleFiles({ code, map }: Bundle): [path: string, text: string][] {
  const content = JSON.parse(map) as { mappings: string };
  return [
    [MODULE_FILE, `${HEAD}${code.endsWith('\n') ? code : `${code}\n`}${TAIL}`],
    [MAP_FILE, `${JSON.stringify({ ...content, mappings: HEAD_MAPPINGS + content.mappings })}\n`],
  ];
}
