/** Reads a module's config.yaml: everything that is wrong with it at once, or a manifest with its defaults. */
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { applyEnvironment, environmentIssue, type Override } from '../config/environment.ts';
import { readYaml, type YamlSource } from '../config/yaml.ts';
import { checkValue, type Finding, isMap } from '../config/yaml-check.ts';
import { formatPath, type Path, type YamlIssue } from '../config/yaml-issue.ts';
import { asNode, type SchemaNode } from '../config/yaml-schema.ts';
import { MANIFEST_RULES, reservedProblem } from './manifest-rules.ts';
import { checkSettings, checkSettingsSchema } from './manifest-settings.ts';

export type ManifestIssue = YamlIssue;

/** For a thread that is to import `parseManifest` from here. */
export const manifestFile = import.meta.url;

export interface ParseManifestOptions {
  /** For the overrides `PLEXI_MODULE__WEATHER__SETTINGS__API_KEY=…`; without it there are none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface ParsedManifest {
  readonly ok: true;
  readonly manifest: Manifest;
  readonly warnings: readonly ManifestIssue[];
  /** Keys that came from the environment, and the variable of each. */
  readonly overrides: readonly { readonly key: string; readonly variable: string; readonly path: Path }[];
  /** `settings` as config.yaml has them: no defaults, nothing of the environment. */
  readonly writtenSettings: Readonly<Record<string, unknown>>;
  /** Required settings that have no value yet: `api_key`. */
  readonly missingSettings: readonly string[];
}

export type ParseManifest = ParsedManifest | { readonly ok: false; readonly issues: readonly ManifestIssue[] };

/** @example const parsed = parseManifest(await readFile(file, 'utf8'), 'weather/config.yaml'); */
export function parseManifest(text: string, file: string, options: ParseManifestOptions = {}): ParseManifest {
  const read = readYaml(text, file);
  if (!read.ok) return read;
  const { source } = read;
  const { value, overrides, issues } = override(source.value, options);

  const schemaFindings = prefixed(
    'settings_schema',
    value.settings_schema === undefined ? [] : checkSettingsSchema(value.settings_schema),
  );
  const checked = checkValue(ManifestSchema, value, MANIFEST_RULES);
  const findings = [...checked.findings, ...schemaFindings];
  // Only read as a manifest once there are no findings; until then only single keys of it are touched, with care.
  const manifest = checked.value as Manifest;
  fillIn(manifest, findings);

  let missingSettings: string[] = [];
  if (schemaFindings.length === 0 && isMap(manifest.settings)) {
    const schema: SchemaNode | undefined = isMap(value.settings_schema) ? value.settings_schema : undefined;
    const settings = checkSettings(schema, manifest.settings);
    findings.push(...prefixed('settings', settings.findings));
    missingSettings = settings.missing;
    manifest.settings = settings.settings as Manifest['settings'];
  }

  issues.push(...findings.map((finding) => toIssue(finding, source, file, overrides)));
  if (issues.length > 0) return { ok: false, issues };
  const warnings = missingSettings.map((key) => missingWarning(key, manifest.module_name, source, file));
  const keys = overrides.map(({ path, variable }) => ({ key: formatPath(path), variable, path }));
  const writtenSettings = isMap(source.value.settings) ? source.value.settings : {};
  return { ok: true, manifest, warnings, overrides: keys, missingSettings, writtenSettings };
}

function override(value: Record<string, unknown>, options: ParseManifestOptions) {
  const name = value.module_name;
  if (options.environment === undefined || typeof name !== 'string') return { value, overrides: [], issues: [] };
  const prefix = variablePrefix(name);
  const applied = applyEnvironment(value, { environment: options.environment, prefix, schema: schemaFor(value) });
  if (applied.value.module_name !== name) {
    applied.issues.push(
      environmentIssue(`${prefix}MODULE_NAME`, 'the name of a module cannot be overridden.', 'module_name'),
    );
  }
  return applied;
}

function variablePrefix(name: string): string {
  return `PLEXI_MODULE__${name.toUpperCase()}__`;
}

/** The manifest's schema, in which `settings` has the types that the author's schema gives them. */
function schemaFor(value: Record<string, unknown>): SchemaNode {
  const root = asNode(ManifestSchema);
  const own = value.settings_schema;
  if (!isMap(own) || !isMap(own.properties) || checkSettingsSchema(own).length > 0) return root;
  const settings = root.properties?.settings ?? {};
  const typed: SchemaNode = { ...settings, properties: { ...(own as SchemaNode).properties, ...settings.properties } };
  return { ...root, properties: { ...root.properties, settings: typed } };
}

/** Defaults that depend on another key. */
function fillIn(manifest: Manifest, findings: Finding[]): void {
  const name: unknown = manifest.module_name;
  if (typeof name !== 'string') return;
  if (isMap(manifest.api) && manifest.api.prefix === '') {
    manifest.api.prefix = `/api/v1/${name}`;
    const problem = reservedProblem(manifest.api.prefix);
    if (problem !== undefined) {
      findings.push({
        path: ['api', 'prefix'],
        part: 'key',
        message: `The default follows the module’s name: ${problem}`,
      });
    }
  }
  if (isMap(manifest.webui) && manifest.webui.menu_title === '') manifest.webui.menu_title = inWords(name);
}

/** @example inWords('example_module') // 'Example Module' */
function inWords(name: string): string {
  const words = name.split('_').filter((word) => word !== '');
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join(' ');
}

function prefixed(key: string, findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, path: [key, ...finding.path] }));
}

function toIssue(finding: Finding, source: YamlSource, file: string, overrides: readonly Override[]): ManifestIssue {
  const key = formatPath(finding.path);
  const from = overrides.find(({ path }) => path.every((step, index) => finding.path[index] === step));
  if (from !== undefined) return environmentIssue(from.variable, finding.message, key);
  return { file, ...source.locate(finding.path, finding.part), key, message: finding.message };
}

function missingWarning(key: string, name: string, source: YamlSource, file: string): ManifestIssue {
  const variable = `${variablePrefix(name)}SETTINGS__${key.replaceAll('.', '__').toUpperCase()}`;
  const message = `The setting is required and has no value yet: set it in the console, or by ${variable}.`;
  return { file, ...source.locate(['settings', ...key.split('.')], 'key'), key: `settings.${key}`, message };
}
