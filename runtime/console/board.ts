/** bull-board over the queues that there are now. It has no idea of who asks: whoever mounts it does. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { type ServeStaticOptions, serveStatic } from '@hono/node-server/serve-static';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Queue } from 'bullmq';
import { type Env, Hono, type MiddlewareHandler } from 'hono';
import { showData, showResult } from './board-format.ts';
import { type BoardAssets, boardPage, readAssets } from './board-page.ts';

export interface Board {
  /** Its page and its API, below BOARD_PATH. */
  readonly app: Hono;
  show(queues: readonly Queue[]): void;
}

export const BOARD_PATH = '/console/queues';

const UI_FOLDER = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));
const STATIC_FOLDER = join(UI_FOLDER, 'dist/static');
/** Their names carry a hash of their content. */
const ASSET_CACHE = 'private, max-age=31536000, immutable';
/** One of them runs as a worker, which has the policy of its own file, and loads others. */
const ASSET_POLICY = "default-src 'none'; script-src 'self'; frame-ancestors 'none'";

/** @param isReadOnly shows no buttons, and refuses what they would do */
export function createBoard(isReadOnly: boolean): Board {
  const adapter = new BoardAdapter(readAssets(readFileSync(join(UI_FOLDER, 'dist/index.ejs'), 'utf8')));
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiBasePath: UI_FOLDER,
      uiConfig: {
        boardTitle: 'PlexiChat tasks',
        hideDocsLink: true,
        // Of Redis alone, and no business of the board: /metrics and the server's own tools know better.
        hideRedisDetails: true,
        showWorkers: false,
        showMetrics: false,
        overview: { groupByDelimiter: true },
        miscLinks: [{ text: 'Sign out', url: '/console/logout' }],
      },
    },
  });
  const app = new Hono();
  app.route(BOARD_PATH, adapter.registerPlugin());
  // Refusals and failures are for the platform to say.
  app.notFound(({ req }) => {
    throw new PlexiError('NOT_FOUND', `The board has nothing at ${req.path}.`);
  });
  app.onError(rethrow);
  return {
    app,
    show: (queues) => replaceQueues(queues.map((queue) => adapt(queue, isReadOnly))),
  };
}

/** Boundary: the stack of a failure names files of the host; the reason, which operators get to see, does not. */
class PathlessAdapter extends BullMQAdapter {
  override async getJob(id: string) {
    return withoutStacks(await super.getJob(id));
  }

  override async getJobs(...range: Parameters<BullMQAdapter['getJobs']>) {
    return (await super.getJobs(...range)).map(withoutStacks);
  }
}

/** The job was read for this one answer. */
function withoutStacks<Found extends { stacktrace: unknown } | undefined>(job: Found): Found {
  if (job) job.stacktrace = [];
  return job;
}

function adapt(queue: Queue, readOnlyMode: boolean): BullMQAdapter {
  const adapter = new PathlessAdapter(queue, { readOnlyMode, delimiter: '.' });
  adapter.setFormatter('data', showData);
  adapter.setFormatter('returnValue', showResult);
  return adapter;
}

/** Serves the page that we write, and lets errors through to the platform, which knows how to say them. */
class BoardAdapter extends HonoAdapter {
  readonly #assets: BoardAssets;

  constructor(assets: BoardAssets) {
    super(serveAssets);
    this.#assets = assets;
    this.setBasePath(BOARD_PATH);
    this.setErrorHandler(rethrow);
  }

  override setErrorHandler(_handler: unknown): this {
    return super.setErrorHandler(rethrow);
  }

  override registerPlugin(): Hono {
    const { entryRoute, uiConfig = {}, basePath } = this;
    if (entryRoute === undefined) throw new Error('The board has no page yet: createBullBoard comes first.');
    const page = new Hono();
    for (const route of [entryRoute.route].flat()) {
      page.get(route, (context) => {
        const { params } = entryRoute.handler({ basePath, uiConfig });
        return boardPage(context, params, this.#assets);
      });
    }
    // The adapter brings a Hono of its own, whose errors would end as a bare 500.
    this.apiRoutes.onError(rethrow);
    page.route('/', super.registerPlugin().onError(rethrow));
    return page;
  }
}

/** The adapter would name the folder relative to the working directory, which is none of its business. */
function serveAssets<E extends Env = Env>(options?: ServeStaticOptions<E>): MiddlewareHandler<E> {
  return serveStatic<E>({
    ...options,
    root: STATIC_FOLDER,
    onFound: (_path, context) => {
      context.header('cache-control', ASSET_CACHE);
      context.header('content-security-policy', ASSET_POLICY);
    },
  });
}

function rethrow(error: Error): never {
  throw error;
}
