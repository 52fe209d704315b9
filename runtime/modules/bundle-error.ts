/** Why a module could not be bundled, told in the author's own files. */
export interface BundleIssue {
  /** Relative to the module's folder; empty when no file is to blame. */
  readonly file: string;
  /** From 1; 0 when there is no line. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly issues: readonly BundleIssue[];

  constructor(issues: readonly BundleIssue[]) {
    super(issues.map(formatBundleIssue).join('\n'));
    this.issues = issues;
  }
}

/** @example formatBundleIssue(issue) // "module.ts:3:8: node:fs is not available …" */
export function formatBundleIssue({ file, line, column, message }: BundleIssue): string {
  if (file === '') return message;
  return line > 0 ? `${file}:${line}:${column}: ${message}` : `${file}: ${message}`;
}
