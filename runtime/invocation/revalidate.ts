import type { CheckedAnswer } from '../policy/check-answer.ts';
import { addEtag, isNotModified, notModified } from '../policy/etag.ts';
import { headerOf, type InboundHeaders } from './inbound.ts';

/** A client that has the same bytes already gets 304 and no body. */
export function revalidate(headers: InboundHeaders, answer: CheckedAnswer): CheckedAnswer {
  const ifNoneMatch = headerOf(headers, 'if-none-match');
  if (ifNoneMatch === undefined || answer.status !== 200) return answer;
  addEtag(answer);
  if (!isNotModified(ifNoneMatch, answer)) return answer;
  if (answer.body instanceof ReadableStream) answer.body.cancel().catch(() => {});
  return notModified(answer);
}
