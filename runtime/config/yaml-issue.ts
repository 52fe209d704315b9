/** One thing that is wrong with a file of settings, said so that its writer can go there and mend it. */
export interface YamlIssue {
  /** The file, or `environment` or `flag` when the value came from there. */
  readonly file: string;
  /** From 1; 0 when there is no file to point into. */
  readonly line: number;
  readonly column: number;
  /** `api.rate_limit`, `dependencies[0]`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
}

/** @example formatIssue(issue) // "config.yaml:4:9 api.rate_limit: found "fast"; allowed is a whole number from 1" */
export function formatIssue(issue: YamlIssue): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file;
  return issue.key === '' ? `${place}: ${issue.message}` : `${place} ${issue.key}: ${issue.message}`;
}

export type Path = readonly (string | number)[];

export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** What was found, short enough to print. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
