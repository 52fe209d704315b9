/** `settings` held against the module's own `settings_schema`; both were written by a stranger. */
import { findLongTexts } from '../config/matched-texts.ts';
import { checkValue, type Finding, isMap } from '../config/yaml-check.ts';
import { type Path, showValue } from '../config/yaml-issue.ts';
import { didYouMean } from '../config/yaml-nearest.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';
import { isSafePattern, SAFE_PATTERN } from './safe-pattern.ts';

export interface CheckedSettings {
  /** With the defaults of the schema. */
  readonly settings: Record<string, unknown>;
  readonly findings: Finding[];
  /** Required settings that nobody has given yet: the operator may still do so. */
  readonly missing: string[];
}

/** Paths are relative to `settings`. Run `checkSettingsSchema` first. */
export function checkSettings(schema: SchemaNode | undefined, settings: Record<string, unknown>): CheckedSettings {
  if (schema === undefined) return { settings, findings: [], missing: [] };
  // The host's own two keys are typed by the manifest's schema, whatever the author's says.
  const { debug, log_level, ...own } = settings;
  const long = findLongTexts(schema, own);
  if (long.length > 0) return { settings, findings: long, missing: [] };
  const checked = checkValue({ ...schema, type: 'object', properties: schema.properties ?? {} }, own);
  const findings = checked.findings.filter((finding) => !finding.missing);
  const missing = checked.findings.filter((finding) => finding.missing).map((finding) => finding.path.join('.'));
  const value = isMap(checked.value) ? checked.value : {};
  // Defaults of the author are texts of the author.
  if (findings.length === 0) findings.push(...findLongTexts(schema, value));
  return { settings: { ...value, debug, log_level }, findings, missing };
}

const MAX_DEPTH = 6;
const MAX_NODES = 500;

/** Boundary: an allow-listed, bounded subset of JSON Schema. Paths are relative to `settings_schema`. */
export function checkSettingsSchema(schema: unknown): Finding[] {
  const findings: Finding[] = [];
  const report = (path: Path, message: string, part: Finding['part'] = 'value') =>
    findings.push({ path, part, message });
  let nodes = 0;

  const visit = (node: unknown, path: Path): void => {
    nodes += 1;
    if (path.length > MAX_DEPTH * 2) return void report(path, `The schema nests deeper than ${MAX_DEPTH} levels.`);
    if (nodes > MAX_NODES) return;
    if (!isMap(node)) return void report(path, `found ${showValue(node)}; allowed is a JSON Schema, which is a map.`);
    for (const [word, value] of Object.entries(node)) {
      const rule = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
      if (rule === undefined) {
        report(
          [...path, word],
          `This word of JSON Schema is not supported.${didYouMean(word, Object.keys(WORDS))}`,
          'key',
        );
        continue;
      }
      const problem = rule(value);
      if (problem !== undefined) report([...path, word], `found ${showValue(value)}; allowed is ${problem}.`);
    }
    if (node['x-hosts'] !== undefined && node.writeOnly !== true) {
      report([...path, 'x-hosts'], 'Only a secret has hosts that it is for: writeOnly: true belongs beside it.', 'key');
    }
    if (isMap(node.properties)) {
      for (const [name, sub] of Object.entries(node.properties)) visit(sub, [...path, 'properties', name]);
    }
    if (node.items !== undefined) visit(node.items, [...path, 'items']);
    if (isMap(node.additionalProperties)) visit(node.additionalProperties, [...path, 'additionalProperties']);
  };

  visit(schema, []);
  if (nodes > MAX_NODES) report([], `The schema has more than ${MAX_NODES} parts.`);
  if (isMap(schema) && schema.type !== undefined && schema.type !== 'object') {
    report(['type'], `found ${showValue(schema.type)}; allowed is "object": settings are a map.`);
  }
  return findings;
}

type WordRule = (value: unknown) => string | undefined;

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const wanted =
  (fits: (value: unknown) => boolean, words: string): WordRule =>
  (value) =>
    fits(value) ? undefined : words;
const number = wanted((value) => typeof value === 'number', 'a number');
const count = wanted(isCount, 'a whole number from 0');
const bool = wanted((value) => typeof value === 'boolean', 'true or false');
const text = wanted((value) => typeof value === 'string', 'text');
const anything = wanted(() => true, 'anything');

const WORDS: Readonly<Record<string, WordRule>> = {
  $schema: text,
  title: text,
  description: text,
  type: wanted(
    (value) => (Array.isArray(value) ? value : [value]).every((type) => TYPES.includes(type)),
    `one of ${TYPES.join(', ')}`,
  ),
  default: anything,
  examples: wanted(Array.isArray, 'a list'),
  enum: wanted((value) => Array.isArray(value) && value.length > 0 && value.length <= 500, 'a list of 1 to 500 values'),
  const: anything,
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: wanted((value) => typeof value === 'number' && value > 0, 'a number above 0'),
  minLength: count,
  maxLength: count,
  pattern: wanted(isSafePattern, SAFE_PATTERN),
  format: wanted(
    (value) =>
      ['date', 'date-time', 'time', 'email', 'uri', 'url', 'hostname', 'uuid', 'ipv4', 'ipv6'].includes(String(value)),
    'one of date, date-time, time, email, uri, url, hostname, uuid, ipv4, ipv6',
  ),
  items: wanted(isMap, 'a JSON Schema'),
  minItems: count,
  maxItems: count,
  uniqueItems: bool,
  properties: wanted(isMap, 'a map of JSON Schemas'),
  required: wanted(
    (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    'a list of names',
  ),
  additionalProperties: wanted((value) => typeof value === 'boolean' || isMap(value), 'true, false or a JSON Schema'),
  writeOnly: bool,
  'x-hosts': wanted(isHostList, 'a list of 1 to 20 hosts that may be sent the secret, such as ["api.example.com"]'),
  readOnly: bool,
  deprecated: bool,
};

const HOST = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9]\d{0,4})?$/;

/** No stars: a secret is for a host that somebody could name. */
function isHostList(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > 20) return false;
  return value.every((host) => typeof host === 'string' && host.length <= 260 && HOST.test(host));
}
