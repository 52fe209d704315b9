/** Takes in the body of an operator's request: small, JSON, in time. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import type { Context } from 'hono';
import { FetchInbound } from '../gateway/fetch-inbound.ts';
import { BODY_TIMES, NodeInbound } from '../gateway/node-inbound.ts';
import type { OperatorEnv } from '../gateway/operator.ts';
import { headerOf, type Inbound } from '../invocation/inbound.ts';
import { assertNotEncoded, limitBody } from '../policy/body-limit.ts';
import { decodeText, parseJson } from '../policy/json-body.ts';

/** Code further down walks what it gets, some of it by recursion. */
const MAX_DEPTH = 48;

/** undefined when there is no body. @throws PlexiError MALFORMED_BODY, PAYLOAD_TOO_LARGE, INVALID_INPUT, CLIENT_CLOSED */
export async function receiveJson(context: Context<OperatorEnv>, limitBytes: number): Promise<unknown> {
  const inbound = inboundOf(context);
  if (!inbound.hasBody) return undefined;
  const limits = { bodyBytes: limitBytes, uploadBytes: limitBytes };
  const kind = limitBody(headerOf(inbound.headers, 'content-type'), inbound.bodyLength, limits);
  if (kind === 'none') return undefined;
  if (kind !== 'json') {
    throw new PlexiError('MALFORMED_BODY', 'A body here is JSON; send it with Content-Type: application/json.');
  }
  assertNotEncoded(headerOf(inbound.headers, 'content-encoding'));
  const text = decodeText(await inbound.readBody(limitBytes));
  if (text.trim() === '') return undefined;
  if (nestsDeeperThan(text, MAX_DEPTH)) {
    const errors = [{ path: '/body', message: `must nest at most ${MAX_DEPTH} levels deep` }];
    throw new PlexiError('INVALID_INPUT', 'One value is not valid.', { errors });
  }
  return parseJson(text);
}

export function inboundOf(context: Context<OperatorEnv>): Inbound {
  const { incoming, outgoing } = context.env ?? {};
  if (incoming === undefined || outgoing === undefined) return new FetchInbound(context.req.raw, 0);
  return new NodeInbound(incoming, outgoing, context.req.raw, { trustedProxies: 0, times: BODY_TIMES });
}
