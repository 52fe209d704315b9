/** Sends one endpoint request to one instance and reads its outcome: bodies to streams and back, guest output to facts. */
import { type ByteSource, StreamViolation } from '@plexichat/sdk/protocol/body-streams';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type BodyRef, type EndpointRequest, type Outcome, OutcomeSchema } from '@plexichat/sdk/protocol/invocation';
import { Compile } from 'typebox/compile';
import type { Instance } from '../cells/instance.ts';
import { type Body, type InvokeOptions, type ModuleAnswer, ModuleHttpError } from './served-module.ts';
import { writeRequest } from './write-request.ts';

const checkOutcome = Compile(OutcomeSchema);
/** Text up to this long travels in the head; longer text is streamed, so that no frame grows large. */
const INLINE_CHARACTERS = 256 * 1024;

/** @throws PlexiError see ServedModule.invoke */
export async function invokeGuest(
  instance: Instance,
  request: Omit<EndpointRequest, 'invocation'>,
  { body, signal }: InvokeOptions,
  onModuleStack: (stack: string) => void,
): Promise<ModuleAnswer> {
  const answer = await instance.invoke(
    (invocation) => [writeRequest(request, invocation), JSON.stringify(toBodyRef(instance, body))],
    request,
    signal,
  );
  // Boundary: what the guest answered is foreign until this line.
  if (!checkOutcome.Check(answer)) {
    instance.session.discard((answer as { body?: unknown } | null | undefined)?.body);
    throw new PlexiError('INVALID_MODULE_RESPONSE', 'The module answered in a shape that the bridge does not know.');
  }
  return readOutcome(instance, answer, onModuleStack);
}

function readOutcome(instance: Instance, outcome: Outcome, onModuleStack: (stack: string) => void): ModuleAnswer {
  if (!outcome.ok) {
    if (outcome.stack !== undefined) onModuleStack(outcome.stack);
    if (outcome.code !== 'MODULE_HTTP_ERROR') throw new PlexiError(outcome.code, outcome.message);
    throw new ModuleHttpError(outcome.message, outcome.status ?? 500, outcome.headers ?? []);
  }
  const { status, headers, body } = outcome;
  if (body.kind !== 'stream') return { status, headers, body };
  return { status, headers, body: { kind: 'stream', stream: toReadable(openStream(instance, body.stream)) } };
}

function openStream(instance: Instance, stream: number): ByteSource {
  try {
    return instance.readStream(stream);
  } catch (error) {
    if (!(error instanceof StreamViolation)) throw error;
    throw new PlexiError(
      'INVALID_MODULE_RESPONSE',
      `The module answered with a body that it did not send: ${error.message}.`,
    );
  }
}

function toBodyRef(instance: Instance, body: Body): BodyRef {
  if (body.kind === 'none') return body;
  if (body.kind === 'text' && body.text.length <= INLINE_CHARACTERS) return body;
  const source = body.kind === 'text' ? textSource(body.text) : readerSource(body.stream);
  try {
    return { kind: 'stream', stream: instance.session.writeStream(source) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PlexiError('MODULE_OVERLOADED', 'The module has too many bodies to read already.', {
      headers: { 'retry-after': '1' },
      cause: error,
    });
  }
}

function textSource(text: string): ByteSource {
  let rest: Uint8Array | undefined = new TextEncoder().encode(text);
  return {
    read: () => {
      const bytes = rest;
      rest = undefined;
      return Promise.resolve(bytes);
    },
    cancel: () => {
      rest = undefined;
    },
  };
}

function readerSource(stream: ReadableStream<Uint8Array>): ByteSource {
  const reader = stream.getReader();
  return {
    read: async () => (await reader.read()).value,
    // The client is told by the answer; that its upload is no longer read is not an error of ours.
    cancel: () => void reader.cancel().catch(() => {}),
  };
}

function toReadable(source: ByteSource): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        let chunk = await source.read();
        // A pull that brings nothing is not repeated.
        while (chunk?.byteLength === 0) chunk = await source.read();
        if (chunk !== undefined) {
          controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}
