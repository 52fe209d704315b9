/** Whom the processor time of a thread is charged to: real threads, whose work is known. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, openCellRoom } from '../support/cell-room.ts';

let room: CellRoom;
beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room.close());

const BURN = `const burn = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };`;

describe('a budget of processor time', () => {
  it('is not charged with what its thread did before the request came', async () => {
    const guest = await room.boot(
      `
      onlater() { setTimeout(() => burn(150), 50); return {}; }
      async onwait() { await new Promise((resolve) => setTimeout(resolve, 400)); return { waited: 1 }; }`,
      { before: BURN, cpuMs: 100 },
    );
    const answers: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      await guest.json('later');
      // The thread has done its 150 ms, or all but a moment of them.
      await pause(200);
      answers.push(await guest.json('wait').catch((error: Error) => error.message));
      await pause(300);
    }
    expect(answers).toEqual(Array(4).fill({ waited: 1 }));
  });

  it('holds for an answer that is a stream as well', async () => {
    const guest = await room.boot(STREAM, { before: BURN, cpuMs: 300 });
    expect(await readFor(4_000, await guest.call('stream'))).toBe('cut');
  });

  it('is not used up by an event stream that is silent while others are served', async () => {
    const guest = await room.boot(
      `
      onevents() {
        return new Response(new ReadableStream({ start(controller) { controller.enqueue(new Uint8Array(1)); } }));
      }
      onwork() { burn(30); return { ok: 1 }; }`,
      { before: BURN, cpuMs: 300 },
    );
    const { body } = await guest.call('events');
    if (body.kind !== 'stream') throw new Error('no stream');
    const reader = body.stream.getReader();
    await reader.read();
    const next = reader.read().then(
      () => 'ended',
      (error: Error) => error.message,
    );
    for (let request = 0; request < 70; request++) {
      expect(await guest.json('work')).toEqual({ ok: 1 });
      await pause(20);
    }
    expect(await Promise.race([next, pause(500, 'open')])).toBe('open');
    expect(guest.instance.alive).toBe(true);
  });

  it('of a stream whose client does not read on does not end the thread for what others did in it', async () => {
    const guest = await room.boot(
      `
      onbytes() {
        return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }));
      }
      onwork() { burn(30); return { ok: 1 }; }`,
      { before: BURN, cpuMs: 300 },
    );
    const { body } = await guest.call('bytes');
    if (body.kind !== 'stream') throw new Error('no stream');
    await body.stream.getReader().read();
    for (let request = 0; request < 120 && guest.instance.alive; request++) {
      await guest.json('work').catch(() => {});
      await pause(20);
    }
    expect(guest.instance.alive).toBe(true);
  });

  it('is not used up by an event stream that says a little for a long time', async () => {
    const guest = await room.boot(
      `
      onevents() {
        return new Response(new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            burn(10);
            controller.enqueue(new Uint8Array(1));
          },
        }));
      }`,
      { before: BURN, cpuMs: 200 },
    );
    expect(await readFor(6_000, await guest.call('events'))).toBe('goes on');
  });
});

const STREAM = `
  onstream() {
    return new Response(new ReadableStream({ pull(controller) { burn(50); controller.enqueue(new Uint8Array(1)); } }));
  }`;

async function readFor(ms: number, { body }: Awaited<ReturnType<Awaited<ReturnType<CellRoom['boot']>>['call']>>) {
  if (body.kind !== 'stream') throw new Error('no stream');
  const reader = body.stream.getReader();
  const end = performance.now() + ms;
  try {
    while (performance.now() < end) if ((await reader.read()).done) return 'ended';
    await reader.cancel();
    return 'goes on';
  } catch {
    return 'cut';
  }
}
