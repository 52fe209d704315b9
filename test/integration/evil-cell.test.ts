/** A cell whose module escaped: our own program on descriptor 3, which says what it likes. */
import { afterEach, describe, expect, it } from 'vitest';
import { closeEvil, startEvil } from '../support/evil-cell.ts';
import { until } from '../support/until.ts';

afterEach(() => closeEvil());

describe('a cell that does not keep to the rules is killed:', () => {
  it.each([
    [
      'it goes on about a channel that ended',
      `socket.write(event({ op: 'exit', channel, reason: 'exited', detail: '' }));
       const lot = frame(1, channel, 'x'.repeat(4e6)); endless(() => lot);`,
      'channels that ended',
    ],
    [
      'it tells of exits that never were',
      `endless(() => event({ op: 'exit', channel: channel + 1, reason: 'exited', detail: 'y'.repeat(900) }));`,
      'an event of a channel that this cell does not have',
    ],
    [
      'it never stops telling of a thread',
      `const word = event({ op: 'spinning', channel, detail: '' }); endless(() => word);`,
      'more control frames than a cell has to say',
    ],
    [
      'it sends a cache that nobody asked for',
      `socket.write(event({ op: 'warmed' }));`,
      'a cache that nobody asked for',
    ],
  ])('%s', async (_name, attack, reason) => {
    const { cells, noise } = startEvil(attack);
    await until(() => cells.processIds.length === 0, 25_000);
    expect(noise.join()).toContain(reason);
  });

  it('it does not read what callers send', async () => {
    const { cells, instance, noise } = startEvil('socket.pause(); setInterval(() => {}, 1e6);');
    const body = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 80; count++) instance.session.call('invoke', body).answer.catch(() => {});
    await until(() => cells.processIds.length === 0, 25_000);
    expect(noise.join()).toContain('does not read');
  });

  it('it closes its socket and goes on without it', async () => {
    const { cells, exit } = startEvil('socket.end(); setInterval(() => {}, 1e6);');
    expect((await exit).reason).toBe('cell');
    await until(() => cells.processIds.length === 0);
  });
});

describe('an instance in such a cell is ended:', () => {
  it.each([
    [
      'it fills the host with bodies that nobody reads',
      'violations',
      `const chunk = Buffer.alloc(65536);
       for (let stream = 1; stream <= 128; stream++) {
         socket.write(frame(1, channel, JSON.stringify(Array.from({ length: 4 }, () => ({ stream, op: 'chunk' }))), [chunk, chunk, chunk, chunk]));
       }`,
    ],
    [
      'it sends text that takes long to parse',
      'bytes',
      `socket.write(frame(1, channel, '[' + '[],'.repeat(4e6) + '[]]'));`,
    ],
    ['it sends more text than its quota', 'bytes', `endless(() => frame(1, channel, '["' + 'x'.repeat(3e6) + '"]'));`],
  ])('%s', async (_name, reason, attack) => {
    expect(await startEvil(attack).exit).toMatchObject({ reason });
  });
});
