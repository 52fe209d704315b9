/** What esbuild and the lint say, in the words of the author's files. */
import { isAbsolute, relative } from 'node:path';
import { originalPositionFor, type TraceMap } from '@jridgewell/trace-mapping';
import type { Message } from 'esbuild';
import { builtinMessage, isBuiltin } from './bundle-builtins.ts';
import type { BundleIssue } from './bundle-error.ts';
import type { LintFinding } from './lint.ts';

export function failuresOf(error: unknown, root: string): BundleIssue[] {
  if (isBuildFailure(error)) return error.errors.map((message) => fromMessage(message, root));
  // The bundler itself gave up: it ran out of stack or memory on what it read.
  return [
    {
      file: '',
      line: 0,
      column: 0,
      message: 'The bundler failed on the files of the module (nested too deeply, or too large).',
    },
  ];
}

export function isBuildFailure(error: unknown): error is Error & { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

export function fromMessage(message: Message, root: string): BundleIssue {
  const { location } = message;
  const file = location?.file.replace(/^[a-z-]+:/, '') ?? '';
  return {
    file: isAbsolute(file) ? relative(root, file) : file,
    line: location?.line ?? 0,
    column: location === null ? 0 : location.column + 1,
    message: wordsOf(message, root),
  };
}

/** esbuild puts an empty object in its place; code that reads `import.meta.url` would then fail far away. */
export function isEmptyImportMeta(message: Message): boolean {
  return message.id === 'empty-import-meta' && !(message.location?.file.includes('node_modules/') ?? false);
}

function wordsOf(message: Message, root: string): string {
  if (isEmptyImportMeta(message)) return 'import.meta is not available in a module.';
  // Our own plugins name only what the author wrote.
  return message.pluginName === '' ? inOurWords(message.text, root) : message.text;
}

function inOurWords(text: string, root: string): string {
  const [, unresolved] = /^Could not resolve "([^"]*)"/.exec(text) ?? [];
  if (unresolved !== undefined && isBuiltin(unresolved)) return builtinMessage(unresolved);
  if (unresolved !== undefined) return `"${unresolved}" was not found; install the package, or mend the path.`;
  if (text.startsWith('Top-level await')) return 'Top-level await is not possible in a module; await in initialize().';
  // Boundary: no path of the host reaches an author.
  const relativeText = text.replaceAll(`${root}/`, '').replaceAll(root, '.');
  return relativeText.replace(/(^|[\s"'(])\/[^\s"')]+/g, '$1…').slice(0, 500);
}

/** From a place in the bundle to the author's line. */
export function mapFinding(finding: LintFinding, trace: TraceMap): BundleIssue {
  const original = originalPositionFor(trace, { line: finding.line, column: finding.column - 1 });
  const { message } = finding;
  if (original.source === null) return { file: '', line: 0, column: 0, message };
  return { file: original.source, line: original.line, column: original.column + 1, message };
}
