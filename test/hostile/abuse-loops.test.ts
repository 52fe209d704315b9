import { afterAll, beforeAll, describe, it } from 'vitest';
import { LOOPS } from '../support/abuse-loops.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained, MEASURED } from '../support/abuse-verdict.ts';

let room: AbuseRoom;
beforeAll(async () => {
  room = await AbuseRoom.open(LOOPS);
});
afterAll(() => room.close());

describe('a module that does not come back costs nobody but itself:', () => {
  it.each(LOOPS.map((abuse) => [abuse.name, abuse] as const))('%s', MEASURED, async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
});
