/** Opens streams of events for operators: so many for each of them, so many for all. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import type { OperatorEnv } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { type EventStreamParts, eventStream } from './event-stream.ts';

export type OpenStream = <Item>(
  context: Context<OperatorEnv>,
  parts: Omit<EventStreamParts<Item>, 'recheck' | 'onClose'>,
) => Response;

const MAX_STREAMS = 100;
const MAX_EACH = 10;
const ID = /^[1-9][0-9]{0,15}$/;

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies such as nginx would keep it back until it is long enough.
  'x-accel-buffering': 'no',
};

export function createStreams(authenticate: Authenticate): OpenStream {
  const open = new Map<string, number>();
  let all = 0;
  return (context, parts) => {
    // HEAD comes here too, and nobody would ever read, or end, what it opens.
    if (context.req.raw.method !== 'GET') return context.body(null, 200, STREAM_HEADERS);
    const operator = context.get('operator').caller.id;
    const own = open.get(operator) ?? 0;
    if (own >= MAX_EACH) throw tooMany(`${MAX_EACH} of you`);
    if (all >= MAX_STREAMS) throw tooMany(`${MAX_STREAMS} of all operators`);
    const credentials = [context.req.header('authorization'), context.req.header('x-api-key')] as const;
    open.set(operator, own + 1);
    all += 1;
    const onClose = (): void => {
      all -= 1;
      const left = (open.get(operator) ?? 1) - 1;
      if (left === 0) open.delete(operator);
      else open.set(operator, left);
    };
    // Boundary: a token may expire, or be withdrawn, while its stream is open.
    const recheck = () => authenticate(...credentials);
    return context.body(eventStream({ ...parts, recheck, onClose }), 200, STREAM_HEADERS);
  };
}

/** The id of the last event that a client saw; undefined when it says none. */
export function lastSeen(context: Context<OperatorEnv>): number | undefined {
  const text = context.req.header('last-event-id');
  return text !== undefined && ID.test(text) ? Number(text) : undefined;
}

function tooMany(what: string): PlexiError {
  const message = `${what} are open already: streams of logs and events are bounded; close one first.`;
  return new PlexiError('RATE_LIMITED', message, { headers: { 'retry-after': '5' } });
}
