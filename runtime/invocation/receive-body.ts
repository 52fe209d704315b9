/** Takes a request's body in: held and parsed here, or left where it is for the module to pull. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { assertNotEncoded, type BodyKind, type BodyLimits } from '../policy/body-limit.ts';
import { decodeText, parseJson } from '../policy/json-body.ts';
import type { Admission } from './admission.ts';
import { headerOf, type Inbound } from './inbound.ts';
import type { EndpointPlan } from './plan.ts';

export type ReceivedBody =
  | { readonly kind: 'none'; readonly json: undefined }
  /** `json`: parsed, when it is JSON and the endpoint wants its input checked. */
  | { readonly kind: 'text'; readonly text: string; readonly json: unknown }
  /** Not touched yet: a later refusal leaves nothing half read. */
  | { readonly kind: 'upload'; readonly json: undefined; readonly limitBytes: number };

export const NO_BODY: ReceivedBody = { kind: 'none', json: undefined };

export interface ReceiveParts {
  readonly limits: BodyLimits;
  readonly admission: Admission;
}

/** @throws PlexiError PAYLOAD_TOO_LARGE, MALFORMED_BODY, CLIENT_CLOSED, HOST_SHEDDING */
export async function receiveBody(
  { limits, admission }: ReceiveParts,
  inbound: Inbound,
  kind: BodyKind,
  plan: EndpointPlan,
): Promise<ReceivedBody> {
  if (kind === 'none') return NO_BODY;
  if (kind !== 'json' && plan.input?.body !== undefined) {
    throw new PlexiError('MALFORMED_BODY', 'This endpoint takes JSON; send Content-Type: application/json.');
  }
  if (kind === 'stream') return { kind: 'upload', json: undefined, limitBytes: limits.uploadBytes };
  assertNotEncoded(headerOf(inbound.headers, 'content-encoding'));
  const bytes = await admission.whileReceiving(() => inbound.readBody(limits.bodyBytes));
  if (bytes.length === 0) return NO_BODY;
  const text = decodeText(bytes);
  return { kind: 'text', text, json: kind === 'json' && plan.input !== undefined ? parseJson(text) : undefined };
}
