/**
 * THE pipeline: every step of a call to a module's endpoint, in this order, cheap refusals first.
 * A step passes or throws a PlexiError; module code runs only after all of them passed.
 */
import type { Authenticate } from '../policy/authenticate.ts';
import { authorize } from '../policy/authorize.ts';
import { type BodyLimits, limitBody } from '../policy/body-limit.ts';
import { type CheckedAnswer, checkAnswer, checkRefusal } from '../policy/check-answer.ts';
import { parseQuery } from '../policy/query.ts';
import type { LimitRate } from '../policy/rate-limit.ts';
import type { ResponseCache } from '../policy/response-cache.ts';
import { validateInput } from '../policy/validate.ts';
import type { Admission } from './admission.ts';
import { answerFromCache } from './answer-from-cache.ts';
import { type Call, callModule, patienceOf } from './call-module.ts';
import { headerOf, type Inbound } from './inbound.ts';
import { NO_BODY, receiveBody } from './receive-body.ts';
import { revalidate } from './revalidate.ts';
import { type RouteParts, route } from './route.ts';
import type { Trace } from './trace.ts';

export interface InvokeParts extends RouteParts {
  readonly authenticate: Authenticate;
  readonly limitRate: LimitRate;
  readonly cache: ResponseCache;
  readonly limits: BodyLimits;
  readonly now: () => number;
  readonly admission: Admission;
}

export async function invoke(parts: InvokeParts, inbound: Inbound, trace: Trace): Promise<CheckedAnswer> {
  const { headers } = inbound;

  const target = route(parts, inbound.method, inbound.path);
  const { plan } = target;
  trace.target = target;

  const bodyKind = inbound.hasBody
    ? limitBody(headerOf(headers, 'content-type'), inbound.bodyLength, parts.limits)
    : 'none';

  const authenticated = parts.authenticate(headerOf(headers, 'authorization'), headerOf(headers, 'x-api-key'), inbound);
  const known = authenticated instanceof Promise ? await authenticated : authenticated;
  trace.known = known;

  authorize(plan.access, known);

  trace.rateLimit = parts.limitRate(known, inbound.address, plan.rateRules);

  const received = bodyKind === 'none' ? NO_BODY : await receiveBody(parts, inbound, bodyKind, plan);
  const query = parseQuery(inbound.search);
  const input = plan.input === undefined ? undefined : validateInput(plan.input, target.params, query, received.json);

  const deadline = parts.now() + plan.timeoutMs;
  const call: Call = { target, inbound, known, received, query, input, deadline };
  const patience = patienceOf(call, parts.now);
  const run = async () => {
    try {
      return checkAnswer(await callModule(call), plan.answer, patience);
    } catch (error) {
      throw checkRefusal(error);
    }
  };

  const answer = plan.cacheTtlMs === 0 ? await run() : await answerFromCache(parts, call, run, trace);
  return plan.method === 'GET' ? revalidate(headers, answer) : answer;
}
