/** Takes in the bytes of a package as they come: nothing of it is held in memory. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Context } from 'hono';
import type { OperatorEnv } from '../gateway/operator.ts';
import { headerOf } from '../invocation/inbound.ts';
import { assertNotEncoded, tooLarge } from '../policy/body-limit.ts';
import { inboundOf } from './receive-json.ts';

export interface ReceivedPackage {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal | undefined;
}

const ZIP_TYPE = /^\s*application\/(?:zip|octet-stream|x-zip-compressed)\s*(?:;|$)/i;

/** @throws PlexiError MALFORMED_BODY, PAYLOAD_TOO_LARGE; its bytes throw what is wrong on the way */
export function receivePackage(context: Context<OperatorEnv>, limitBytes: number): ReceivedPackage {
  const inbound = inboundOf(context);
  if (!inbound.hasBody || inbound.bodyLength === 0) {
    throw new PlexiError('MALFORMED_BODY', 'The body is the package itself, a ZIP; there is none.');
  }
  const type = headerOf(inbound.headers, 'content-type') ?? '';
  if (!ZIP_TYPE.test(type)) {
    const message = 'A package is sent with Content-Type: application/zip.';
    throw new PlexiError('MALFORMED_BODY', message, { status: 415, headers: { accept: 'application/zip' } });
  }
  assertNotEncoded(headerOf(inbound.headers, 'content-encoding'));
  if ((inbound.bodyLength ?? 0) > limitBytes) throw tooLarge(limitBytes);
  // The stream fails with the same error that it tells of.
  return { bytes: inbound.streamBody(limitBytes, () => {}), signal: inbound.signal };
}
