import { afterAll, beforeAll, describe, it } from 'vitest';
import { FLOODS } from '../support/abuse-floods.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained } from '../support/abuse-verdict.ts';

let room: AbuseRoom;
beforeAll(async () => {
  room = await AbuseRoom.open(FLOODS);
});
afterAll(() => room.close());

describe('a module that floods its host costs nobody but itself:', () => {
  it.each(FLOODS.map((abuse) => [abuse.name, abuse] as const))('%s', async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
});
