/** A module's stream on its way to a client. When it breaks, the connection breaks: the error's words stay here. */
import type { ServerResponse } from 'node:http';

export function clientStream(
  source: ReadableStream<Uint8Array>,
  outgoing: ServerResponse | undefined,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          // A destroyed socket tells an HTTP/1.1 client that the answer is incomplete; the adapter would write the
          // error's message into the body instead.
          if (outgoing !== undefined) outgoing.destroy();
          else controller.error(new Error('The answer was cut off.'));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
