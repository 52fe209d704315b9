/**
 * What operators may do through the board. It can do more: write jobs and their data, change or drop schedules, limits and
 * whole queues. All that belongs to the tasks room, which would not know of it.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

type Action = readonly [method: 'PUT' | 'PATCH', path: RegExp];

/** Below the board's `/api`. A queue or a job is one segment. */
const ACTIONS: readonly Action[] = [
  ['PUT', /^\/queues\/(?:pause|resume)$/],
  ['PUT', /^\/queues\/[^/]+\/(?:pause|resume|promote|empty)$/],
  ['PUT', /^\/queues\/[^/]+\/retry\/(?:failed|completed)$/],
  ['PUT', /^\/queues\/[^/]+\/clean\/(?:completed|failed|wait|waiting|delayed|prioritized)$/],
  ['PUT', /^\/queues\/[^/]+\/[^/]+\/(?:retry|promote|clean)$/],
  ['PATCH', /^\/queues\/[^/]+\/[^/]+\/(?:delay|priority)$/],
];

/** Boundary: an allow-list, so that what a newer board can do is refused until somebody looked at it. @throws PlexiError FORBIDDEN */
export function assertAllowedAction(method: string, path: string): void {
  if (ACTIONS.some(([allowed, pattern]) => allowed === method && pattern.test(path))) return;
  throw new PlexiError(
    'FORBIDDEN',
    'The board may pause, resume, retry, promote, postpone, prioritise, clean and empty. Jobs and schedules belong to their modules: run, pause and resume tasks with "plexi tasks" or POST /api/v1/tasks.',
  );
}
