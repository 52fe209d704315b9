/** Entries of the audit trail as rows of the state, and back. */
import type { SqlValue, State, Statement } from './state.ts';

export interface AuditAttempt {
  readonly action: string;
  /** Who; undefined for the host itself. */
  readonly operator?: string | undefined;
  readonly module?: string | undefined;
  /** No secret is among them. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What came of it. */
export interface AuditEnding {
  readonly outcome: string;
  readonly details: AuditAttempt['details'];
  /** Known only now, such as whose package it was. */
  readonly module?: string | undefined;
}

export interface AuditRow extends AuditAttempt {
  /** Grows with time. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly source: AuditSource;
  /** `started`: nobody wrote what came of it. */
  readonly outcome: string;
}

export type AuditSource = 'operator' | 'host';

export interface AuditQuery {
  readonly module?: string | undefined;
  readonly operator?: string | undefined;
  /** Only those with a smaller id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface AuditLimits {
  readonly keepMs: number;
  /** Of operators, and as many again of what the host did. */
  readonly total: number;
  /** Of what the host did, and not an operator. */
  readonly perModule: number;
  /** The same, within a minute. */
  readonly perMinute: number;
}

const MAX_NAME = 256;
const MAX_TEXT = 1_000;
const MAX_LIST = 256;

/** Boundary: texts may be a stranger's words. Half a surrogate pair and NUL are no text that a database takes. */
export function plainAudit({ action, operator, module, details }: AuditAttempt): AuditAttempt {
  return {
    action: plain(action, MAX_NAME),
    operator: operator === undefined ? undefined : plain(operator, MAX_NAME),
    module: plainModule(module),
    details: plainDetails(details),
  };
}

/** It changes nothing when another host has taken the id. */
export function insertAudit({ id, at, source, action, operator, module, outcome, details }: AuditRow): Statement {
  return {
    sql: 'INSERT INTO audit (id, at, source, action, operator, module, outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    params: [id, at, source, action, operator ?? null, module ?? null, outcome, JSON.stringify(details)],
  };
}

/** @param ending its module is set where it was not known before; none leaves what is there */
export function updateAudit(id: number, { outcome, details, module }: AuditEnding): Statement {
  return {
    sql: 'UPDATE audit SET outcome = ?, details = ?, module = COALESCE(?, module) WHERE id = ?',
    params: [outcome, JSON.stringify(plainDetails(details)), plainModule(module) ?? null, id],
  };
}

export function dropBeyond(module: string, kept: number): Statement {
  return {
    sql: "DELETE FROM audit WHERE module = ? AND source = 'host' AND id <= (SELECT id FROM audit WHERE module = ? AND source = 'host' ORDER BY id DESC LIMIT 1 OFFSET ?)",
    params: [module, module, kept],
  };
}

export function tidyAudit(now: number, { keepMs, total }: AuditLimits): Statement[] {
  const beyond = (source: string): Statement => ({
    sql: 'DELETE FROM audit WHERE source = ? AND id <= (SELECT id FROM audit WHERE source = ? ORDER BY id DESC LIMIT 1 OFFSET ?)',
    params: [source, source, total],
  });
  return [{ sql: 'DELETE FROM audit WHERE at < ?', params: [now - keepMs] }, beyond('operator'), beyond('host')];
}

/** Newest first. @throws PlexiError STATE_UNAVAILABLE */
export async function readAudit(state: State, query: AuditQuery): Promise<AuditRow[]> {
  const { module, operator, before = Number.MAX_SAFE_INTEGER, limit } = query;
  const where = ['id < ?'];
  const params: SqlValue[] = [before];
  for (const [column, value] of Object.entries({ module, operator })) {
    if (value === undefined) continue;
    where.push(`${column} = ?`);
    params.push(value);
  }
  const rows = await state.query(
    `SELECT id, at, source, action, operator, module, outcome, details FROM audit WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`,
    [...params, limit],
  );
  return rows.map((row) => ({
    id: Number(row.id),
    at: Number(row.at),
    source: row.source === 'host' ? 'host' : 'operator',
    action: String(row.action),
    operator: row.operator === null ? undefined : String(row.operator),
    module: row.module === null ? undefined : String(row.module),
    outcome: String(row.outcome),
    details: JSON.parse(String(row.details)) as Record<string, unknown>,
  }));
}

function plainModule(module: string | undefined): string | undefined {
  return module === undefined || module === '' ? undefined : plain(module, MAX_NAME);
}

function plainDetails(details: AuditAttempt['details']): Record<string, unknown> {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, MAX_LIST).map((each) => plain(String(each), MAX_TEXT));
  return plain(String(value), MAX_TEXT);
}

function plain(text: string, max: number): string {
  return text.slice(0, max).replaceAll('\0', '\ufffd').toWellFormed();
}
