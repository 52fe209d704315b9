import { BaseModule, type EndpointContext, type ModuleEvent, moduleEndpoint, moduleEvent, Type } from '@plexichat/sdk';
import { type Login, readLogin } from './login.ts';

/** Seconds. Who was not seen for that long is new again, and costs no storage meanwhile. */
const REMEMBERED = 180 * 24 * 60 * 60;
const TRIES = 5;

export default class WelcomeModule extends BaseModule<{ round_number: number }> {
  /** The chat host says it with `POST /api/v1/events`. */
  @moduleEvent('user.login')
  async onLogin(data: unknown, event: ModuleEvent) {
    const login = readLogin(data);
    if (login === undefined) {
      this.logger.warn('A login without a user', { event: event.id, source: event.source });
      return;
    }
    const logins = await this.#count(login.user_id);
    await this.sendNotification({ userId: login.user_id, ...this.#greet(login, logins) });
    await this.events.emit('module.welcome.greeted', { user_id: login.user_id, logins });
  }

  @moduleEndpoint('GET /logins', {
    response: Type.Object({ logins: Type.Integer() }),
    summary: 'How often you have logged in.',
  })
  async getLogins({ user }: EndpointContext) {
    return { logins: user === null ? 0 : ((await this.storage.get<number>(keyOf(user.id))) ?? 0) };
  }

  /** An event comes once, but several hosts may count for one user at the same time: so no plain get and set. */
  async #count(userId: string): Promise<number> {
    const key = keyOf(userId);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const before = await this.storage.get<number>(key);
      const logins = (before ?? 0) + 1;
      if (await this.storage.compareAndSet(key, before, logins, { ttl: REMEMBERED })) return logins;
    }
    throw new Error(`The logins of one user changed ${TRIES} times while they were counted.`);
  }

  #greet({ name }: Login, logins: number) {
    const who = name === undefined ? '' : `, ${name}`;
    if (logins === 1) return { title: `Welcome${who}!`, message: 'Nice that you are here.', type: 'success' } as const;
    const isRound = logins % this.config.settings.round_number === 0;
    return { title: `Welcome back${who}!`, ...(isRound ? { message: `This is your login number ${logins}.` } : {}) };
  }
}

function keyOf(userId: string): string {
  return `logins:${userId}`;
}
