/** Flags over `PLEXI_*` over plexi.yaml over defaults; everything that is wrong with any of them at once. */
import { readFileSync } from 'node:fs';
import { checkPermission } from '../capabilities/permission.ts';
import { applyEnvironment } from './environment.ts';
import { type Origins, originsOf } from './origins.ts';
import { type HostSettings, HostSettingsSchema } from './settings-schema.ts';
import { readYaml, type YamlSource } from './yaml.ts';
import { checkValue, type Finding, type Rules } from './yaml-check.ts';
import { formatIssue, formatPath, type Path, type YamlIssue } from './yaml-issue.ts';
import { asNode } from './yaml-schema.ts';

export interface HostSettingsSources {
  /** By dotted key, as the command line gives them: `{ port: '8080', 'limits.body_mb': '2' }`. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** plexi.yaml; must exist when it is named. */
  readonly file?: string | undefined;
}

export interface LoadedHostSettings {
  readonly settings: HostSettings;
  /** Where each value came from, for --print-config; secrets are masked. */
  readonly origins: Origins;
}

/** Thrown with every issue of every source. */
export class HostSettingsError extends Error {
  override readonly name = 'HostSettingsError';
  readonly issues: readonly YamlIssue[];

  constructor(issues: readonly YamlIssue[]) {
    super(issues.map(formatIssue).join('\n'));
    this.issues = issues;
  }
}

/** @throws HostSettingsError */
export function loadHostSettings(sources: HostSettingsSources): LoadedHostSettings {
  const schema = asNode(HostSettingsSchema);
  const file = sources.file === undefined ? undefined : readSettingsFile(sources.file);
  const fromFile = file?.value ?? {};
  const fromEnvironment = applyEnvironment(fromFile, {
    environment: sources.environment ?? {},
    prefix: 'PLEXI_',
    schema,
    skip: (variable) => variable.startsWith('PLEXI_MODULE__') || NOT_SETTINGS.has(variable),
  });
  const fromFlags = applyEnvironment(fromEnvironment.value, {
    environment: asVariables(sources.flags),
    prefix: '--',
    schema,
  });

  const checked = checkValue(HostSettingsSchema, fromFlags.value, RULES);
  const places: Places = {
    file: sources.file,
    source: file,
    environment: fromEnvironment.overrides,
    flags: fromFlags.overrides.map(({ path, variable }) => ({ path, variable: asFlag(variable) })),
  };
  const issues = [
    ...fromEnvironment.issues,
    ...fromFlags.issues.map((issue) => ({ ...issue, file: 'flag', message: asFlag(issue.message) })),
    ...checked.findings.map((finding) => toIssue(finding, places)),
  ];
  if (issues.length > 0) throw new HostSettingsError(issues);
  const settings = checked.value as HostSettings;
  return { settings, origins: originsOf(settings, (path) => originAt(path, places)) };
}

/** Variables of the command that are no settings of the host. */
const NOT_SETTINGS = new Set(['PLEXI_CONFIG', 'PLEXI_URL', 'PLEXI_TOKEN', 'PLEXI_VAULT_KEY', 'PLEXI_VAULT_KEY_OLD']);

const RULES: Rules = {
  'grants.*.*': (value) => checkPermission(String(value)),
};

interface Places {
  readonly file: string | undefined;
  readonly source: YamlSource | undefined;
  readonly environment: readonly { path: Path; variable: string }[];
  readonly flags: readonly { path: Path; variable: string }[];
}

function readSettingsFile(file: string): YamlSource {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'The file does not exist.' : 'The file cannot be read.';
    throw new HostSettingsError([{ file, line: 0, column: 0, key: '', message: reason }]);
  }
  // A file of comments only is an empty one.
  const isBlank = text.split('\n').every((line) => /^\s*(#|$)/.test(line));
  const read = readYaml(isBlank ? '{}' : text, file);
  if (!read.ok) throw new HostSettingsError(read.issues);
  return read.source;
}

/** Flags use the same way in as variables: `limits.body_mb` becomes `--limits__body_mb`. */
function asVariables(flags: HostSettingsSources['flags'] = {}): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(flags).map(([key, text]) => [`--${key.replaceAll('.', '__')}`, text]));
}

function asFlag(text: string): string {
  return text.replace(/^--\S+/, (variable) => variable.replaceAll('__', '.').replaceAll('_', '-'));
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}

function toIssue(finding: Finding, places: Places): YamlIssue {
  const key = formatPath(finding.path);
  const { message } = finding;
  const flag = places.flags.find(({ path }) => startsWith(finding.path, path));
  if (flag !== undefined) return { file: 'flag', line: 0, column: 0, key, message: `${flag.variable}: ${message}` };
  const variable = places.environment.find(({ path }) => startsWith(finding.path, path));
  if (variable !== undefined) {
    return { file: 'environment', line: 0, column: 0, key, message: `${variable.variable}: ${message}` };
  }
  const at = places.source?.locate(finding.path, finding.part) ?? { line: 0, column: 0 };
  return { file: places.file ?? 'settings', ...at, key, message };
}

function originAt(path: Path, places: Places): { from: 'flag' | 'environment' | 'file' | 'default'; where: string } {
  const flag = places.flags.find((override) => startsWith(path, override.path));
  if (flag !== undefined) return { from: 'flag', where: flag.variable };
  const variable = places.environment.find((override) => startsWith(path, override.path));
  if (variable !== undefined) return { from: 'environment', where: variable.variable };
  if (places.source === undefined || !isWritten(places.source.value, path))
    return { from: 'default', where: 'default' };
  return { from: 'file', where: `${places.file}:${places.source.locate(path, 'key').line}` };
}

function isWritten(value: unknown, path: Path): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return value !== undefined && value !== null;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
  return isWritten((value as Record<string, unknown>)[step], rest);
}
