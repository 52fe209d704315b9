/** `/api/v1/tasks`: what operators see of tasks and do to them. */
import { type Context, Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { TaskDesk } from '../tasks/task-desk.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { inTime } from './in-time.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import {
  readListQuery,
  readPauseBody,
  readRunsQuery,
  readTaskName,
  refuseBody,
  refuseQuery,
  type TaskName,
} from './task-input.ts';

export interface TaskRouteParts {
  readonly authenticate: Authenticate;
  readonly tasks: TaskDesk;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 120;
const MAX_DATA_BYTES = 64 * 1024;
const MAX_WORDS_BYTES = 4 * 1024;

export function taskRoutes({ authenticate, tasks, audit }: TaskRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);

  routes.get('/', ...mayRead, async (context) => {
    const { module } = readListQuery(context.req.url);
    const all = await inTime(tasks.list());
    return context.json({ tasks: module === undefined ? all : all.filter((task) => task.module === module) });
  });

  routes.get('/:module/:task/runs', ...mayRead, async (context) => {
    const { module, task } = nameOf(context);
    const { limit } = readRunsQuery(context.req.url);
    return context.json({ runs: await inTime(tasks.runs(module, task, limit)) });
  });

  routes.post('/:module/:task/run', ...mayAct, async (context) => {
    const name = nameOf(context);
    refuseQuery(context.req.url);
    const data = (await receiveJson(context, MAX_DATA_BYTES)) ?? null;
    const run = (operator: string) => inTime(tasks.run(name.module, name.task, data, operator));
    const { id } = await audited(context, 'task.run', name, run, (outcome) => ({ run: outcome.id }));
    context.header('location', `/api/v1/tasks/${name.module}/${name.task}/runs`);
    return context.json({ id }, 202);
  });

  routes.post('/:module/:task/pause', ...mayAct, async (context) => {
    const name = nameOf(context);
    refuseQuery(context.req.url);
    const { reason } = readPauseBody(await receiveJson(context, MAX_WORDS_BYTES));
    const pause = (operator: string) => inTime(tasks.pause(name.module, name.task, operator, reason));
    return context.json(await audited(context, 'task.pause', { ...name, reason }, pause));
  });

  routes.post('/:module/:task/resume', ...mayAct, async (context) => {
    const name = nameOf(context);
    refuseQuery(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    const resume = (operator: string) => inTime(tasks.resume(name.module, name.task, operator));
    return context.json(await audited(context, 'task.resume', name, resume));
  });

  for (const path of ['/', '/:module/:task/runs']) routes.all(path, ...mayRead, () => refuseMethod('GET, HEAD'));
  for (const verb of ['run', 'pause', 'resume'])
    routes.all(`/:module/:task/${verb}`, ...mayRead, () => refuseMethod('POST'));
  return routes;
}

function nameOf(context: Context<OperatorEnv>): TaskName {
  return readTaskName(context.req.param('module'), context.req.param('task'));
}
