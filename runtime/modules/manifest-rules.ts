/** What a manifest must keep that no schema can say. */
import { HOST_API_VERSION, RESERVED_PREFIXES } from '@plexichat/sdk/protocol/manifest';
import type { Column, Table } from '@plexichat/sdk/protocol/manifest-database';
import { CronExpressionParser } from 'cron-parser';
import { parse, satisfies, valid, validRange } from 'semver';
import { checkPermission } from '../capabilities/permission.ts';
import type { Rule, Rules } from '../config/yaml-check.ts';
import { type Path, showValue } from '../config/yaml-issue.ts';

/** Each rule runs only on a value that fits the schema at its path. */
export const MANIFEST_RULES: Rules = {
  module_version: onText((text) =>
    valid(text) === text || parse(text)?.raw === text
      ? undefined
      : `found ${showValue(text)}; allowed is a semantic version such as 1.0.0.`,
  ),
  'dependencies.*': onText(checkDependency),
  'optional_dependencies.*': onText(checkDependency),
  'required_permissions.*': onText(checkPermission),
  'optional_permissions.*': onText(checkPermission),
  'api.prefix': onText((text) => reservedProblem(text)),
  'tasks.schedule': onText(checkCron),
  'tasks.timezone': onText(checkTimezone),
  plexichat: onText((text) => rangeProblem(text, text) ?? hostProblem(text)),
  'database.tables': (value) => checkTables(value as Table[]),
};

function onText(rule: (text: string) => string | undefined): Rule {
  return (value) => (typeof value === 'string' && value !== '' ? rule(value) : undefined);
}

function checkDependency(text: string): string | undefined {
  const at = text.indexOf('@');
  return at < 0 ? undefined : rangeProblem(text.slice(at + 1), text);
}

function rangeProblem(range: string, written: string): string | undefined {
  if (range.trim() !== '' && validRange(range) !== null) return undefined;
  return `found ${showValue(written)}; allowed is a version range such as ^1.2, >=1.0 <3 or 1.2.3.`;
}

function hostProblem(range: string): string | undefined {
  if (satisfies(HOST_API_VERSION, range)) return undefined;
  return `found ${showValue(range)}; this host offers version ${HOST_API_VERSION} of its API, which is not in that range.`;
}

export function reservedProblem(prefix: string): string | undefined {
  const taken = RESERVED_PREFIXES.find((reserved) => prefixesClash(reserved, prefix));
  if (taken === undefined) return undefined;
  return `found ${showValue(prefix)}; ${taken} belongs to the host. Allowed is another path, such as /api/v1/my/${prefix.split('/').at(-1)}.`;
}

/** Whether one of the two paths is the other, or lies below it. */
export function prefixesClash(left: string, right: string): boolean {
  return `${left}/`.startsWith(`${right}/`) || `${right}/`.startsWith(`${left}/`);
}

export function checkCron(text: string): string | undefined {
  const allowed = 'allowed is cron with 5 or 6 fields, such as */5 * * * *.';
  const fields = text.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return `found ${showValue(text)} with ${fields} fields; ${allowed}`;
  try {
    CronExpressionParser.parse(text);
    return undefined;
  } catch (error) {
    return `found ${showValue(text)} (${error instanceof Error ? error.message : 'not cron'}); ${allowed}`;
  }
}

export function checkTimezone(text: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return undefined;
  } catch {
    return `found ${showValue(text)}; allowed is an IANA time zone such as UTC or Europe/Berlin.`;
  }
}

type TableFinding = { path: Path; message: string };

function checkTables(tables: readonly Table[]): TableFinding[] {
  return [
    ...repeats(tables.map((table) => table.name)).map((at) => repeated([at, 'name'], 'table')),
    ...tables.flatMap((table, at) => checkTable(table).map(({ path, message }) => ({ path: [at, ...path], message }))),
  ];
}

function checkTable(table: Table): TableFinding[] {
  const columns = table.columns.map((column) => column.name);
  const findings = repeats(columns).map((at) => repeated(['columns', at, 'name'], 'column'));
  // SQLite and the host keep these names for themselves.
  if (/^(sqlite|plexi)_/.test(table.name)) {
    findings.push({
      path: ['name'],
      message: `found "${table.name}"; names that start with sqlite_ or plexi_ are taken.`,
    });
  }
  for (const [at, column] of table.columns.entries()) {
    const message = checkColumn(column);
    if (message !== undefined) findings.push({ path: ['columns', at], message });
  }
  for (const [at, index] of (table.indexes ?? []).entries()) {
    const unknown = index.columns.find((name) => !columns.includes(name));
    if (unknown === undefined) continue;
    const message = `found "${unknown}", which is no column of ${table.name}; allowed are ${columns.join(', ')}.`;
    findings.push({ path: ['indexes', at, 'columns'], message });
  }
  return findings;
}

function checkColumn(column: Column): string | undefined {
  if (column.primary_key && column.nullable) return `${column.name} is a primary key: it cannot be nullable.`;
  if (column.max_length !== undefined && column.type !== 'text') {
    return `${column.name} is ${column.type}: max_length is for text columns.`;
  }
  const { default: value } = column;
  if (value === undefined || (value === null && column.nullable)) return undefined;
  if (value !== null && DEFAULT_FITS[column.type](value)) return undefined;
  return `the default of ${column.name} is ${showValue(value)}, which does not fit its type ${column.type}.`;
}

const isText = (value: unknown): boolean => typeof value === 'string';

const DEFAULT_FITS: Readonly<Record<Column['type'], (value: string | number | boolean) => boolean>> = {
  integer: (value) => Number.isSafeInteger(value),
  real: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  text: isText,
  datetime: isText,
  json: () => true,
  blob: () => false,
};

function repeats(names: readonly string[]): number[] {
  return names.flatMap((name, at) => (names.indexOf(name) < at ? [at] : []));
}

function repeated(path: Path, what: string): TableFinding {
  return { path, message: `an earlier ${what} has this name; names must differ.` };
}
