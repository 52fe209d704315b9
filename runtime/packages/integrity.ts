/** integrity.json: the SHA-256 of each file of a package but itself and its signature. */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import type { PackageIssue } from './package-error.ts';
import { INTEGRITY_FILE, SIGNATURE_FILE } from './package-layout.ts';
import { readStrictJson } from './strict-json.ts';

const IntegritySchema = Type.Object(
  {
    algorithm: Type.Literal('sha256'),
    files: Type.Record(Type.String(), Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  { additionalProperties: false },
);
type Integrity = Static<typeof IntegritySchema>;
const check = Compile(IntegritySchema);

/** Path → SHA-256 in hexadecimal. */
export type FileHashes = ReadonlyMap<string, string>;

export function writeIntegrity(hashes: FileHashes): string {
  const content: Integrity = { algorithm: 'sha256', files: Object.fromEntries(namedIn(hashes)) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** @param hashes of all files of the package */
export function findIntegrityProblems(text: Uint8Array, hashes: FileHashes): PackageIssue[] {
  const content = readStrictJson(text, PACKAGE_BOUNDS.integrityBytes);
  if (!check.Check(content)) {
    const message = 'it must be { "algorithm": "sha256", "files": { path: 64 hexadecimal digits } } and nothing more';
    return [{ path: INTEGRITY_FILE, message }];
  }
  const named = new Map(Object.entries(content.files));
  const issues: PackageIssue[] = [];
  for (const [path, hash] of namedIn(hashes)) {
    const expected = named.get(path);
    if (expected === undefined) issues.push({ path, message: `${INTEGRITY_FILE} does not name it` });
    else if (expected !== hash) issues.push({ path, message: `its SHA-256 is not the one in ${INTEGRITY_FILE}` });
    named.delete(path);
  }
  for (const path of named.keys()) issues.push({ path, message: `${INTEGRITY_FILE} names it, and it is not there` });
  return issues;
}

function namedIn(hashes: FileHashes): [string, string][] {
  return [...hashes].filter(([path]) => path !== INTEGRITY_FILE && path !== SIGNATURE_FILE).sort(byPath);
}

export function byPath([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
