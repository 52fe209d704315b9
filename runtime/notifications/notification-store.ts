/**
 * Notifications in the state. Bounded for each user, for each user and module, so that one module pushes out its own
 * first, for each module, whatever users it invents, and by age.
 */
import { NOTIFICATION_TYPES } from '@plexichat/sdk/protocol/notification-limits';
import type { Row, State } from '../state/state.ts';
import type { Statement } from '../state/statement.ts';
import type { Notification } from './notification.ts';

export interface NotificationLimits {
  readonly perUser: number;
  /** Of one module, for one user. */
  readonly perUserAndModule: number;
  readonly perModule: number;
  readonly keepMs: number;
}

export interface NotificationQuery {
  readonly unreadOnly: boolean;
  /** Only those with a smaller id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export type NewNotification = Pick<Notification, 'module' | 'type' | 'title' | 'message'>;

/** What costs more to tidy is tidied once in so many notifications of a module. */
const TIDY_EVERY = 100;
const COLUMNS = 'id, module, type, title, message, at, read_at';

export class NotificationStore {
  readonly #state: State;
  readonly #limits: NotificationLimits;
  readonly #now: () => number;
  readonly #sent = new Map<string, number>();
  #lastId = 0;

  constructor(state: State, limits: NotificationLimits, now: () => number = Date.now) {
    this.#state = state;
    this.#limits = limits;
    this.#now = now;
  }

  /** @throws PlexiError STATE_UNAVAILABLE */
  async add(userId: string, { module, type, title, message }: NewNotification): Promise<Notification> {
    const at = this.#now();
    const id = this.#nextId(at);
    await this.#state.run([
      {
        sql: `INSERT INTO notifications (id, user_id, module, type, title, message, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        params: [id, userId, module, type, title, message, at],
      },
      dropBeyond('user_id = ? AND module = ?', [userId, module], this.#limits.perUserAndModule),
      dropBeyond('user_id = ?', [userId], this.#limits.perUser),
      ...this.#tidyNowAndThen(module, at),
    ]);
    return { id: String(id), module, type, title, message, at: new Date(at).toISOString(), read_at: null };
  }

  /** Newest first. @throws PlexiError STATE_UNAVAILABLE */
  async list(userId: string, { unreadOnly, before, limit }: NotificationQuery): Promise<Notification[]> {
    const unread = unreadOnly ? ' AND read_at IS NULL' : '';
    const rows = await this.#state.query(
      `SELECT ${COLUMNS} FROM notifications WHERE user_id = ? AND id < ? AND at >= ?${unread} ORDER BY id DESC LIMIT ?`,
      [userId, before ?? Number.MAX_SAFE_INTEGER, this.#oldest(), limit],
    );
    return rows.map(toNotification);
  }

  /** Those with a greater id, oldest first. @throws PlexiError STATE_UNAVAILABLE */
  async since(userId: string, id: number): Promise<Notification[]> {
    const rows = await this.#state.query(
      `SELECT ${COLUMNS} FROM notifications WHERE user_id = ? AND id > ? AND at >= ? ORDER BY id LIMIT ?`,
      [userId, id, this.#oldest(), this.#limits.perUser],
    );
    return rows.map(toNotification);
  }

  async countUnread(userId: string): Promise<number> {
    const [row] = await this.#state.query(
      'SELECT COUNT(*) AS unread FROM notifications WHERE user_id = ? AND at >= ? AND read_at IS NULL',
      [userId, this.#oldest()],
    );
    return Number(row?.unread ?? 0);
  }

  /** @returns since when it counts as read; undefined when the user has no such notification */
  async markRead(userId: string, id: number): Promise<string | undefined> {
    const [, found] = await this.#state.run([
      {
        sql: 'UPDATE notifications SET read_at = ? WHERE user_id = ? AND id = ? AND read_at IS NULL',
        params: [this.#now(), userId, id],
      },
      { sql: 'SELECT read_at FROM notifications WHERE user_id = ? AND id = ?', params: [userId, id] },
    ]);
    const row = found?.rows[0];
    return row === undefined ? undefined : toTime(row.read_at);
  }

  #oldest(): number {
    return this.#now() - this.#limits.keepMs;
  }

  #tidyNowAndThen(module: string, now: number): Statement[] {
    const sent = (this.#sent.get(module) ?? 0) + 1;
    this.#sent.set(module, sent);
    if (sent % TIDY_EVERY !== 1) return [];
    return [
      dropBeyond('module = ?', [module], this.#limits.perModule),
      { sql: 'DELETE FROM notifications WHERE at < ?', params: [now - this.#limits.keepMs] },
    ];
  }

  /** By the clock, with room for a thousand a millisecond; never twice, also when the clock is set back. */
  #nextId(at: number): number {
    this.#lastId = Math.max(this.#lastId + 1, at * 1000 + Math.floor(Math.random() * 1000));
    return this.#lastId;
  }
}

function dropBeyond(where: string, params: readonly string[], kept: number): Statement {
  return {
    sql: `DELETE FROM notifications WHERE ${where} AND id <= (SELECT id FROM notifications WHERE ${where} ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    params: [...params, ...params, kept],
  };
}

function toNotification({ id, module, type, title, message, at, read_at }: Row): Notification {
  return {
    id: String(id),
    module: String(module),
    type: NOTIFICATION_TYPES.find((known) => known === type) ?? 'info',
    title: String(title),
    message: String(message),
    at: toTime(at) ?? '',
    read_at: toTime(read_at) ?? null,
  };
}

function toTime(value: Row[string] | undefined): string | undefined {
  return value === null || value === undefined ? undefined : new Date(Number(value)).toISOString();
}
