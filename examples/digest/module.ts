import {
  BaseModule,
  type EndpointContext,
  HttpError,
  moduleEndpoint,
  moduleTask,
  type TaskContext,
  Type,
} from '@plexichat/sdk';
import { readAnswer, readFeed } from './feed.ts';
import { type Summary, Tally } from './tally.ts';

const DigestSchema = Type.Object({
  made_at: Type.String({ description: 'ISO 8601, UTC' }),
  messages: Type.Integer(),
  channels: Type.Array(Type.Object({ channel: Type.String(), messages: Type.Integer() })),
  words: Type.Array(Type.Object({ word: Type.String(), count: Type.Integer() })),
});

interface Digest extends Summary {
  readonly made_at: string;
}

const RunSchema = Type.Object({ run: Type.String({ maxLength: 200, description: 'The id of a run, or "last".' }) });

/** Digests that are kept in memory. */
const KEPT = 24;

export default class DigestModule extends BaseModule<{ chat_url: string }> {
  /** By run, the newest last. Of this thread only: gone when the module sleeps or is started again. */
  readonly #digests = new Map<string, Digest>();

  override validateConfig() {
    const { chat_url } = this.config.settings;
    if (!URL.canParse(chat_url)) throw new Error(`settings.chat_url: "${chat_url}" is not a URL`);
  }

  /** Every full hour; one that was missed while the host was down is made up for, once. */
  @moduleTask({ schedule: '0 * * * *', retryCount: 3, timeout: 120, missed: 'run-once' })
  async summarize({ job, signal, progress, log }: TaskContext) {
    const tally = new Tally();
    for await (const { number, pages, messages } of readFeed((page) =>
      this.#ask(`/messages?page=${page}`, { signal }),
    )) {
      tally.add(messages);
      progress((90 * number) / pages, `read page ${number} of ${pages}`);
      log(`Page ${number} of ${pages}: ${messages.length} messages.`);
    }
    const digest: Digest = { made_at: new Date().toISOString(), ...tally.sum() };
    // A run happens at least once. The key is the same for every attempt of it, so the chat posts its digest once.
    const key = `${job.name} ${job.slot ?? job.id}`;
    await this.#post(digest, key, signal);
    this.#keep(job.id, digest);
    progress(100, 'posted');
    log(`Posted in attempt ${job.attempt}.`);
    return { messages: digest.messages };
  }

  @moduleEndpoint('POST /now', { permissions: ['write'], rateLimit: 6, summary: 'Makes a digest in the background.' })
  async makeNow({ json }: EndpointContext) {
    const { id } = await this.tasks.enqueue('summarize').catch((error: unknown) => {
      this.logger.warn('No digest could be asked for', { reason: String(error) });
      const headers = { 'retry-after': '30' };
      throw new HttpError(503, 'No digest can be made just now; please try again later', { headers, cause: error });
    });
    return json({ id }, 202, { location: `${this.config.api.prefix}/${id}` });
  }

  @moduleEndpoint('GET /:run', {
    permissions: ['read'],
    params: RunSchema,
    response: DigestSchema,
    summary: 'The digest of a run, or the last one.',
  })
  getDigest({ params }: EndpointContext<{ params: typeof RunSchema }>) {
    const digest = params.run === 'last' ? [...this.#digests.values()].at(-1) : this.#digests.get(params.run);
    if (digest !== undefined) return digest;
    throw new HttpError(
      404,
      params.run === 'last'
        ? 'There is no digest yet. POST /api/v1/digest/now makes one, and so does the next full hour.'
        : 'There is no digest of that run: it is not done yet, it failed, or it was long ago.',
    );
  }

  #keep(run: string, digest: Digest): void {
    this.#digests.set(run, digest);
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > KEPT && oldest !== undefined) this.#digests.delete(oldest);
  }

  async #post(digest: Digest, key: string, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const reply = await this.#ask('/digests', { method: 'POST', headers, body: JSON.stringify(digest), signal });
    await readAnswer(reply, 'the place for digests');
  }

  #ask(path: string, init: RequestInit): Promise<Response> {
    return this.http.fetch(new URL(path, this.config.settings.chat_url), { ...init, timeoutMs: 10_000 });
  }
}
