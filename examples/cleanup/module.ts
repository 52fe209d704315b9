import {
  BaseModule,
  type FileEntry,
  moduleEndpoint,
  moduleTask,
  PermissionDeniedError,
  type TaskContext,
  Type,
  UnrecoverableError,
} from '@plexichat/sdk';

const PreviewSchema = Type.Object({
  older_than: Type.String({ description: 'ISO 8601, UTC' }),
  files: Type.Integer(),
  bytes: Type.Integer(),
  first: Type.Array(Type.String(), { description: 'At most 20 of them.' }),
});

/** Of one run; the next goes on with the rest. */
const MAX_FILES = 10_000;
const SHOWN = 20;
const DAY_MS = 86_400_000;

export default class CleanupModule extends BaseModule<{ folder: string; max_age_days: number }> {
  override validateConfig() {
    const { max_age_days } = this.config.settings;
    if (!(max_age_days > 0)) throw new Error(`settings.max_age_days: must be a number above 0, found ${max_age_days}`);
  }

  /** Every night at two; a night that was missed is made up for, once. */
  @moduleTask({ schedule: '0 2 * * *', retryCount: 3, timeout: 600, missed: 'run-once' })
  async cleanUp({ signal, progress, log }: TaskContext) {
    const old = await this.#findOld(this.#limit(), signal).catch(giveUpIfDenied);
    log(`${old.length} files are older than ${this.config.settings.max_age_days} days.`);
    const failed: string[] = [];
    for (const [done, { path }] of old.entries()) {
      signal.throwIfAborted();
      try {
        // False when somebody else was faster; a run may happen twice, and the second time is harmless.
        await this.files.remove(path);
      } catch (error) {
        if (error instanceof PermissionDeniedError) giveUpIfDenied(error);
        failed.push(path);
        log(`${path} stays: ${error instanceof Error ? error.message : error}`);
      }
      progress((100 * (done + 1)) / old.length, `${done + 1} of ${old.length}`);
    }
    const removed = old.length - failed.length;
    this.logger.info('Cleaned up', { removed, failed: failed.length });
    // Those that are gone stay gone: the next attempt has to do with the rest only.
    if (failed.length > 0)
      throw new Error(`${failed.length} of ${old.length} files could not be removed: ${failed[0]}`);
    return { removed };
  }

  @moduleEndpoint('GET /preview', {
    permissions: ['read'],
    response: PreviewSchema,
    summary: 'What the next run would remove.',
  })
  async preview() {
    const limit = this.#limit();
    const old = await this.#findOld(limit);
    return {
      older_than: new Date(limit).toISOString(),
      files: old.length,
      bytes: old.reduce((sum, { size }) => sum + size, 0),
      first: old.slice(0, SHOWN).map(({ path }) => path),
    };
  }

  #limit(): number {
    return Date.now() - this.config.settings.max_age_days * DAY_MS;
  }

  /** Page by page, so that a folder of any size fits into the memory of a module. */
  async #findOld(limit: number, signal?: AbortSignal): Promise<FileEntry[]> {
    const { folder } = this.config.settings;
    const old: FileEntry[] = [];
    let cursor: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await this.files.list(folder, { recursive: true, ...(cursor === undefined ? {} : { cursor }) });
      old.push(...page.entries.filter(({ kind, modified }) => kind === 'file' && modified < limit));
      cursor = page.cursor;
    } while (cursor !== undefined && old.length < MAX_FILES);
    return old.slice(0, MAX_FILES);
  }
}

/** What nobody has granted will not be granted within a minute: trying again is of no use. */
function giveUpIfDenied(error: unknown): never {
  throw error instanceof PermissionDeniedError ? new UnrecoverableError(error.message, { cause: error }) : error;
}
