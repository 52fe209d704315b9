/** `/console/queues`: bull-board behind the console's own door. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { toProblem } from '../gateway/problem.ts';
import { tooLarge } from '../policy/body-limit.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import { BOARD_PATH, type Board, createBoard } from './board.ts';
import { assertAllowedAction } from './board-actions.ts';
import { type ConsoleEnv, mayManage } from './operator-of.ts';
import type { Operator } from './session.ts';

export interface QueueRoutesOptions {
  readonly desk: Pick<TaskDesk, 'queues' | 'onQueues'>;
  /** Lets operators in and nobody else, and notes who it is. */
  readonly door: MiddlewareHandler<ConsoleEnv>;
  readonly onAction: (operator: Operator, action: BoardAction) => void;
  readonly onError: (error: unknown, requestId: string) => void;
}

export interface BoardAction {
  readonly method: string;
  /** Below the board's API: /queues/weather/pause. */
  readonly path: string;
  readonly status: number;
  readonly requestId: string;
}

const API_PATH = `${BOARD_PATH}/api`;
const MAX_BODY_BYTES = 64 * 1024;
/** A connection that is lost may keep a question for ever. */
const DEADLINE_MS = 10_000;

export function queueRoutes({ desk, door, onAction, onError }: QueueRoutesOptions): Hono<ConsoleEnv> {
  const boards = { read: createBoard(true), manage: createBoard(false) };
  const show = (): void => {
    const queues = desk.queues();
    boards.read.show(queues);
    boards.manage.show(queues);
  };
  desk.onQueues(show);
  show();

  const routes = new Hono<ConsoleEnv>();
  routes.use(BOARD_PATH, door);
  routes.use(`${BOARD_PATH}/*`, door);
  routes.use(`${API_PATH}/*`, bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLargeBody }));
  routes.all(`${API_PATH}/*`, async (context) => {
    const operator = context.get('operator');
    const { method } = context.req;
    const requestId = context.get('requestId');
    const path = context.req.path.slice(API_PATH.length);
    const isAction = method !== 'GET' && method !== 'HEAD';
    let response: Response;
    try {
      if (isAction) assertMayAct(operator, method, path);
      response = await inTime(ask(boardFor(boards, operator), context));
    } catch (error) {
      if (!(error instanceof PlexiError)) onError(error, requestId);
      response = boardProblem(error, requestId, context.req.path);
    }
    if (isAction) onAction(operator, { method, path, status: response.status, requestId });
    response.headers.set('cache-control', 'no-store');
    return response;
  });
  routes.get(`${BOARD_PATH}/*`, (context) => ask(boardFor(boards, context.get('operator')), context));
  return routes;
}

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

async function ask({ app }: Board, context: Context<ConsoleEnv>): Promise<Response> {
  return app.fetch(context.req.raw, context.env);
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
    { status: problem.status, headers: { 'content-type': 'application/problem+json' } },
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
