/** The name of an entry of a ZIP: an allow-list, so that it means the same file to every program that reads it. */
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import type { PackageIssue } from './package-error.ts';

export type EntryName =
  | { readonly ok: true; readonly path: string; readonly isFolder: boolean }
  | { readonly ok: false; readonly issue: PackageIssue };

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param isUtf8 what the entry's flag says; without it only ASCII is sure to be what its writer meant */
export function readEntryName(raw: Uint8Array, isUtf8: boolean): EntryName {
  if (raw.length > PACKAGE_BOUNDS.pathBytes) {
    return refuse(raw, `the name has ${raw.length} bytes; allowed are ${PACKAGE_BOUNDS.pathBytes}`);
  }
  if (!isUtf8 && raw.some((byte) => byte > 0x7f)) return refuse(raw, 'the name is neither ASCII nor marked as UTF-8');
  let name: string;
  try {
    name = UTF8.decode(raw);
  } catch {
    return refuse(raw, 'the name is not UTF-8');
  }
  const problem = findNameProblem(name);
  if (problem !== undefined) return refuse(raw, problem);
  const isFolder = name.endsWith('/');
  return { ok: true, path: isFolder ? name.slice(0, -1) : name, isFolder };
}

/** As it may stand in a message: whatever it is, on one line, and short. */
export function showName(raw: Uint8Array | string): string {
  const text = typeof raw === 'string' ? raw : Buffer.from(raw.subarray(0, 4 * SHOWN)).toString('utf8');
  const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);
  return plain.length > SHOWN ? `${plain.slice(0, SHOWN)}…` : plain;
}

const SHOWN = 100;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
/** Some systems open a device instead of such a file, whatever follows the dot. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/** For names of files on disk too, when a folder is packed. */
export function findNameProblem(name: string): string | undefined {
  if (name === '') return 'the name is empty';
  if (name.includes('\0')) return 'the name holds a NUL';
  if (name.includes('\\')) return 'the name holds a backslash; folders are parted by "/"';
  if (name.startsWith('/')) return 'the path is absolute; allowed are paths inside of the package';
  if (/^[A-Za-z]:/.test(name)) return 'the path starts with a drive letter; allowed are paths inside of the package';
  if (UNSEEN.test(name)) return 'the name holds a character that cannot be seen';
  const forbidden = /[:*?"<>|]/.exec(name)?.[0];
  if (forbidden !== undefined) return `the name holds "${forbidden}", which some systems do not allow`;
  const steps = (name.endsWith('/') ? name.slice(0, -1) : name).split('/');
  if (steps.length > PACKAGE_BOUNDS.depth) return `the path has more than ${PACKAGE_BOUNDS.depth} steps`;
  for (const step of steps) {
    const problem = findStepProblem(step);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function findStepProblem(step: string): string | undefined {
  if (step === '') return 'the path has an empty step';
  if (step === '..') return 'the path leads out of the package ("..")';
  if (step.startsWith('.')) return `"${step}" is hidden; names that start with a dot are not allowed`;
  if (/[. ]$/.test(step)) return `"${step}" ends with a dot or a space, which some systems drop`;
  if (DEVICE.test(step)) return `"${step}" is the name of a device on some systems`;
  if (step === '__proto__') return `"${step}" is no name for a file`;
  if (Buffer.byteLength(step) > PACKAGE_BOUNDS.stepBytes) {
    return `a step of the path has more than ${PACKAGE_BOUNDS.stepBytes} bytes`;
  }
  return undefined;
}

function refuse(raw: Uint8Array, message: string): EntryName {
  return { ok: false, issue: { path: raw.length === 0 ? '(no name)' : showName(raw), message } };
}
