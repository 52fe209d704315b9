/**
 * The rows of security events, and which of them go. Whoever writes most loses most: of the same kind, of the same module,
 * and what modules say themselves never takes the place of what the host noticed.
 */
import type { SecurityEvent } from './security-event.ts';
import type { Statement } from './statement.ts';

export interface SecurityEventBounds {
  /** Rows of one kind that one module may cause. */
  readonly perKind: number;
  /** So many of those are the first ones: noise that comes later does not hide how it began. */
  readonly firstOfKind: number;
  /** What the host noticed, of all modules. */
  readonly total: number;
  /** What modules reported, of all of them. */
  readonly totalReported: number;
  readonly keepMs: number;
}

export function insert({ id, at, module, kind, name, details, count }: SecurityEvent): Statement {
  return {
    sql: 'INSERT INTO security_events (id, at, module, kind, name, details, count) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    params: [id, at, module, kind, name, details, count],
  };
}

/** One for each module and kind that is among them. */
export function dropBeyond(
  events: readonly SecurityEvent[],
  { perKind, firstOfKind }: SecurityEventBounds,
): Statement[] {
  const shares = new Map(events.map(({ module, kind }) => [`${module}\n${kind}`, [module, kind] as const]));
  const one = 'SELECT id FROM security_events WHERE module = ? AND kind = ? ORDER BY id';
  return [...shares.values()].map((share) => ({
    sql: `DELETE FROM security_events WHERE module = ? AND kind = ?
      AND id <= (${one} DESC LIMIT 1 OFFSET ?) AND id > (${one} LIMIT 1 OFFSET ?)`,
    params: [...share, ...share, perKind - firstOfKind, ...share, firstOfKind - 1],
  }));
}

export function tidyUp(now: number, { keepMs, total, totalReported }: SecurityEventBounds): Statement[] {
  return [
    { sql: 'DELETE FROM security_events WHERE at < ?', params: [now - keepMs] },
    dropOverall("kind = 'reported'", totalReported),
    dropOverall("kind <> 'reported'", total),
  ];
}

/** A module with few rows keeps them, however many others have many. */
function dropOverall(which: string, kept: number): Statement {
  return {
    sql: `DELETE FROM security_events WHERE (SELECT count(*) FROM security_events WHERE ${which}) > ? AND id IN (
      SELECT id FROM (
        SELECT id, row_number() OVER (ORDER BY older, id DESC) AS place FROM (
          SELECT id, row_number() OVER (PARTITION BY module, kind ORDER BY id DESC) AS older
          FROM security_events WHERE ${which}
        ) AS shares
      ) AS places WHERE place > ?
    )`,
    params: [kept, kept],
  };
}
