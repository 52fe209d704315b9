/** What may stand where in a package. One that `plexi pack` made has an integrity.json; any other is a source folder. */
import type { PackageIssue } from './package-error.ts';

export const CONFIG_FILE = 'config.yaml';
export const MODULE_FILE = 'module.js';
export const MAP_FILE = 'module.js.map';
export const INTEGRITY_FILE = 'integrity.json';
export const SIGNATURE_FILE = 'signature.json';
const WEB_FOLDER = 'webui';

/** What `plexi pack` takes over as it is. */
export const COPIED_FILES: readonly string[] = [CONFIG_FILE, 'README.md', 'LICENSE'];
export const COPIED_FOLDERS: readonly string[] = [WEB_FOLDER];

const PACKED_FILES = new Set([...COPIED_FILES, MODULE_FILE, MAP_FILE, INTEGRITY_FILE, SIGNATURE_FILE]);
const ENTRY_FILES = ['module.ts', 'module.js', 'module.mjs'] as const;
const SOURCE_FILE = /\.(?:[mc]?[jt]s|json|txt|md|html|css|liquid|map)$|^LICEN[CS]E$/;

/** @param files paths of the files, and of folders that are entries of their own with a `/` at their end */
export function findLayoutProblems(files: readonly string[]): PackageIssue[] {
  const all = new Set(files);
  const isPacked = all.has(INTEGRITY_FILE);
  if (!all.has(CONFIG_FILE)) return [{ path: CONFIG_FILE, message: missingConfig(files) }];

  const issues: PackageIssue[] = [];
  for (const path of files) {
    const message = isPacked ? packedProblem(path) : sourceProblem(path);
    if (message !== undefined) issues.push({ path, message });
  }
  if (isPacked && !all.has(MODULE_FILE)) issues.push({ path: MODULE_FILE, message: 'a packed module needs this file' });
  if (!isPacked && !ENTRY_FILES.some((file) => all.has(file))) {
    issues.push({ path: '', message: `The package has no module file; allowed are ${ENTRY_FILES.join(', ')}.` });
  }
  if (!isPacked && all.has(SIGNATURE_FILE)) {
    issues.push({ path: SIGNATURE_FILE, message: `it signs ${INTEGRITY_FILE}, which is missing` });
  }
  return issues;
}

function missingConfig(files: readonly string[]): string {
  const inner = files.find((path) => /^[^/]+\/config\.yaml$/.test(path))?.split('/')[0];
  if (inner === undefined) return 'the file is missing; every module needs one';
  return `it must lie at the top, and lies in ${inner}/: pack what is in that folder, or use "plexi pack"`;
}

function packedProblem(path: string): string | undefined {
  const top = path.split('/')[0] ?? '';
  if (path.includes('/') ? COPIED_FOLDERS.includes(top) : PACKED_FILES.has(top)) return undefined;
  return `a packed module has no such file; allowed are ${[...PACKED_FILES].join(', ')} and what is in ${WEB_FOLDER}/`;
}

function sourceProblem(path: string): string | undefined {
  if (path.includes('/') || path === CONFIG_FILE || SOURCE_FILE.test(path)) return undefined;
  return `nothing of a module has such a name; allowed at the top are ${CONFIG_FILE}, sources, texts and folders`;
}
