/** Why a package was not taken, entry by entry, for the operator who sent it. */
export interface PackageIssue {
  /** The entry of the ZIP, `config.yaml:4:9 api.rate_limit`, or empty for the package as a whole. */
  readonly path: string;
  readonly message: string;
}

/**
 * - `refused`: the package itself is at fault
 * - `too-large`: its bytes are more than any package may have
 * - `full`: this host keeps no more versions, or no more bytes, until an operator removes some
 * - `busy`: not now; later it may be taken
 */
export type PackageFault = 'refused' | 'too-large' | 'full' | 'busy';

export class PackageError extends Error {
  override readonly name = 'PackageError';
  readonly fault: PackageFault;
  readonly issues: readonly PackageIssue[];

  constructor(fault: PackageFault, issues: readonly PackageIssue[]) {
    super(issues.map(formatPackageIssue).join('\n'));
    this.fault = fault;
    this.issues = issues;
  }
}

/** @example formatPackageIssue({ path: '../x', message: 'leads out of the package' }) // "../x: leads out of the package" */
export function formatPackageIssue({ path, message }: PackageIssue): string {
  return path === '' ? message : `${path}: ${message}`;
}
