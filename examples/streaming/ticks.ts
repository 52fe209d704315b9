const encoder = new TextEncoder();

/**
 * Server-sent events, one per interval. `pull` runs when the client has room for more, so ticks never pile up; `cancel`
 * runs when the client goes away. Whichever ends it, `onEnd` is called once.
 */
export function ticks(count: number, intervalMs: number, onEnd: () => void): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tick = 0;
  return new ReadableStream({
    pull: (controller) =>
      new Promise((resolve) => {
        timer = setTimeout(() => {
          tick += 1;
          controller.enqueue(encoder.encode(`id: ${tick}\nevent: tick\ndata: {"tick":${tick},"of":${count}}\n\n`));
          if (tick === count) {
            controller.close();
            onEnd();
          }
          resolve();
        }, intervalMs);
      }),
    cancel() {
      clearTimeout(timer);
      onEnd();
    },
  });
}
