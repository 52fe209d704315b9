/** Bodies of a module's requests and of their answers, between the bridge's streams and undici's. */
import { Readable } from 'node:stream';
import { type ByteSource, StreamViolation } from '@plexichat/sdk/protocol/body-streams';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { BodyRef } from '@plexichat/sdk/protocol/invocation';
import type { Session } from '../bridge/session.ts';

/** Sends an answer's body to the guest. @throws PlexiError QUOTA_EXCEEDED */
export function sendBody(
  body: Readable,
  maxBytes: number,
  session: Session,
  onBytes: (bytes: number) => void = () => {},
): number {
  return sendStream(boundedSource(body, maxBytes, onBytes), session);
}

/** The same for what comes in pieces already; cancelled when it cannot be sent. */
export function sendStream(source: ByteSource, session: Session): number {
  try {
    return session.writeStream(source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PlexiError('QUOTA_EXCEEDED', 'Too many bodies are open; read or cancel the ones of earlier answers.');
  }
}

function boundedSource(body: Readable, maxBytes: number, onBytes: (bytes: number) => void): ByteSource {
  const chunks = body[Symbol.asyncIterator]();
  let total = 0;
  return {
    async read() {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        // Undici's own words may name addresses; a deadline is all that a module can use.
        const isLate = (error as Error).name === 'TimeoutError' || (error as Error).name === 'BodyTimeoutError';
        throw new PlexiError('EGRESS_FAILED', `The answer ${isLate ? 'took too long' : 'broke off'}.`, {
          cause: error,
        });
      });
      if (done) return undefined;
      total += value.byteLength;
      onBytes(value.byteLength);
      if (total > maxBytes) {
        body.destroy();
        throw new PlexiError('EGRESS_FAILED', `The answer is larger than ${maxBytes} bytes.`);
      }
      return value;
    },
    cancel: () => void body.destroy(),
  };
}

/** A request's body, as undici takes it. @throws PlexiError INVALID_CALL */
export function openBody(
  body: BodyRef,
  session: Session,
  onBytes: (bytes: number) => void = () => {},
): string | Readable | undefined {
  if (body.kind === 'none') return undefined;
  if (body.kind === 'text') {
    onBytes(Buffer.byteLength(body.text));
    return body.text;
  }
  const source = openStream(body.stream, session);
  const readable = new Readable({
    read() {
      source.read().then(
        (chunk) => {
          onBytes(chunk?.byteLength ?? 0);
          this.push(chunk ?? null);
        },
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      source.cancel();
      done(error);
    },
  });
  // Whoever sends it hears of its end; before and after that nobody listens, and nobody has to.
  readable.on('error', () => {});
  return readable;
}

/** A body that the guest sends in pieces. @throws PlexiError INVALID_CALL */
export function openStream(id: number, session: Session): ByteSource {
  try {
    return session.readStream(id);
  } catch (error) {
    if (!(error instanceof StreamViolation)) throw error;
    throw new PlexiError('INVALID_CALL', `The body cannot be read: ${error.message}.`);
  }
}
