import { afterAll, beforeAll, describe, it } from 'vitest';
import { MEMORY } from '../support/abuse-memory.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained, MEASURED } from '../support/abuse-verdict.ts';

let room: AbuseRoom;
beforeAll(async () => {
  room = await AbuseRoom.open(MEMORY);
});
afterAll(() => room.close());

describe('a module that wants all the memory costs nobody but itself and its cell:', () => {
  it.each(MEMORY.map((abuse) => [abuse.name, abuse] as const))('%s', MEASURED, async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
});
