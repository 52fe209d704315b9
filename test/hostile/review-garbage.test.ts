import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT, startOpenEdge } from '../support/open-edge.ts';
import { dial } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

const warnings: string[] = [];
const note = (warning: Error): void => void warnings.push(warning.message);
afterEach(() => {
  process.off('warning', note);
});

describe('bytes that are no HTTP, behind a request whose answer is an open stream', () => {
  it('cost the host nothing, however many come', async () => {
    process.on('warning', note);
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode('data\n\n')),
      });
    const edge = await startOpenEdge({
      endpoints: {
        'GET /events': {
          run: async () => ({
            status: 200,
            headers: [['content-type', 'text/event-stream']],
            body: { kind: 'stream', stream: stream() },
          }),
        },
      },
    });
    const client = dial(edge.port);
    client.socket.setNoDelay(true);
    client.socket.write(`GET ${ROOT}/events HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => client.received().includes('data'));
    for (let packet = 0; packet < 100 && !client.socket.destroyed; packet++) {
      client.socket.write('\0garbage');
      await pause(2);
    }
    await pause(50);
    client.socket.destroy();
    await edge.close();
    expect(warnings).toEqual([]);
  });
});
