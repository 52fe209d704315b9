/** `/console/queues`: bull-board behind the console's own door. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { toProblem } from '../gateway/problem.ts';
import { tooLarge } from '../policy/body-limit.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { createAtOnce } from './at-once.ts';
import { BOARD_PATH, type Board, createBoard } from './board.ts';
import { assertAllowedAction } from './board-actions.ts';
import { type BoardRead, readBoardQuery } from './board-reads.ts';
import { type ConsoleEnv, mayManage, PAGE_KEY_HEADER } from './operator-of.ts';
import type { Operator } from './session.ts';

export interface QueueRoutesOptions {
  readonly desk: Pick<TaskDesk, 'queues' | 'onQueues'>;
  /** Lets operators in and nobody else, and notes who it is. */
  readonly door: MiddlewareHandler<ConsoleEnv>;
  readonly onAction: (operator: Operator, action: BoardAction) => void;
  readonly begin: BeginAction;
  readonly onError: (error: unknown, requestId: string) => void;
}

export interface BoardAction {
  readonly method: string;
  /** Below the board's API: /queues/weather/pause. */
  readonly path: string;
  readonly status: number;
  readonly requestId: string;
}

/**
 * Before something is changed, which is not done when this rejects; what it gives is told what came of it, and nothing is
 * reported as done when that rejects.
 */
export type BeginAction = (
  operator: Operator,
  attempt: Omit<BoardAction, 'status'>,
) => Promise<(status: number) => unknown>;

const API_PATH = `${BOARD_PATH}/api`;
const MAX_BODY_BYTES = 64 * 1024;
/** A connection that is lost may keep a question for ever. */
const DEADLINE_MS = 10_000;
/** Each may load a hundred jobs or more. A page of the board makes one every few seconds. */
const LISTS_AT_ONCE = 2;
const OTHERS_AT_ONCE = 8;

export function queueRoutes({ desk, door, onAction, begin, onError }: QueueRoutesOptions): Hono<ConsoleEnv> {
  const boards = { read: createBoard(true), manage: createBoard(false) };
  const show = (): void => {
    const queues = desk.queues();
    boards.read.show(queues);
    boards.manage.show(queues);
  };
  desk.onQueues(show);
  show();
  const lists = createAtOnce(LISTS_AT_ONCE, 'lists');
  const others = createAtOnce(OTHERS_AT_ONCE, 'answers');
  const answer = (context: Context<ConsoleEnv>, { search, isList }: BoardRead): Promise<Response> => {
    const operator = context.get('operator');
    const { app } = boardFor(boards, operator);
    const request = withSearch(context.req.raw, search);
    return inTime((isList ? lists : others)(operator.sub, async () => app.fetch(request, context.env)));
  };

  const routes = new Hono<ConsoleEnv>();
  routes.use(BOARD_PATH, door);
  routes.use(`${BOARD_PATH}/*`, door);
  routes.use(`${API_PATH}/*`, provenOnly);
  routes.use(`${API_PATH}/*`, bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLargeBody }));
  routes.all(`${API_PATH}/*`, async (context) => {
    const operator = context.get('operator');
    const { method } = context.req;
    const requestId = context.get('requestId');
    const path = context.req.path.slice(API_PATH.length);
    const isAction = method !== 'GET' && method !== 'HEAD';
    let response: Response;
    let end: Awaited<ReturnType<BeginAction>> = () => {};
    try {
      if (isAction) {
        assertMayAct(operator, method, path);
        end = await begin(operator, { method, path, requestId });
      }
      response = await answer(context, readBoardQuery(path, context.req.url));
    } catch (error) {
      if (!(error instanceof PlexiError)) onError(error, requestId);
      response = boardProblem(error, requestId, context.req.path);
    }
    if (isAction) {
      onAction(operator, { method, path, status: response.status, requestId });
      response = await told(end, response, requestId, context.req.path);
    }
    response.headers.set('cache-control', 'no-store');
    return response;
  });
  routes.get(`${BOARD_PATH}/*`, (context) =>
    boardFor(boards, context.get('operator')).app.fetch(context.req.raw, context.env),
  );
  return routes;
}

/** Boundary: a cookie goes to every server of its machine, so it shows and changes nothing. @throws PlexiError UNAUTHENTICATED */
const provenOnly: MiddlewareHandler<ConsoleEnv> = async (context, next) => {
  if (context.get('isProven')) return next();
  throw new PlexiError(
    'UNAUTHENTICATED',
    `A session answers its own pages only, which send ${PAGE_KEY_HEADER}; sign in again at /console/login.`,
  );
};

interface Boards {
  readonly read: Board;
  readonly manage: Board;
}

function boardFor(boards: Boards, operator: Operator): Board {
  return mayManage(operator) ? boards.manage : boards.read;
}

/** Boundary: besides the board's own read-only mode, which hides the buttons. @throws PlexiError FORBIDDEN */
function assertMayAct(operator: Operator, method: string, path: string): void {
  if (!mayManage(operator)) {
    throw new PlexiError('FORBIDDEN', 'Changing something needs the permission modules:manage.');
  }
  assertAllowedAction(method, path);
}

/** Boundary: what could not be written down is not reported as done. */
async function told(
  end: (status: number) => unknown,
  response: Response,
  requestId: string,
  path: string,
): Promise<Response> {
  try {
    await end(response.status);
    return response;
  } catch (error) {
    return response.ok ? boardProblem(error, requestId, path) : response;
  }
}

/** The board sees the query that was read, and no other. */
function withSearch(request: Request, search: string): Request {
  const url = new URL(request.url);
  if (url.search.slice(1) === search) return request;
  url.search = search;
  return new Request(url, request);
}

function refuseLargeBody(): never {
  throw tooLarge(MAX_BODY_BYTES);
}

/** A problem like any other, with the two members that the board's page shows to its user. */
function boardProblem(error: unknown, requestId: string, instance: string): Response {
  const isKnown = error instanceof PlexiError;
  const shown = isKnown
    ? error
    : new PlexiError('QUEUE_UNAVAILABLE', 'The task queue did not do what it was asked to.');
  const problem = toProblem(shown, { requestId, instance });
  return Response.json(
    { ...problem, error: problem.title, message: problem.detail },
    { status: problem.status, headers: { ...shown.headers, 'content-type': 'application/problem+json' } },
  );
}

/** @throws PlexiError QUEUE_UNAVAILABLE */
function inTime(work: Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      const message = `The task queue did not answer within ${DEADLINE_MS / 1000} s; what was asked for may still happen.`;
      reject(new PlexiError('QUEUE_UNAVAILABLE', message));
    }, DEADLINE_MS);
    work.then(resolve, reject).finally(() => clearTimeout(deadline));
  });
}
