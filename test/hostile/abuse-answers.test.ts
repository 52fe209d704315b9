import { afterAll, beforeAll, describe, it } from 'vitest';
import { ANSWERS } from '../support/abuse-answers.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained, MEASURED } from '../support/abuse-verdict.ts';

let room: AbuseRoom;
beforeAll(async () => {
  room = await AbuseRoom.open(ANSWERS);
});
afterAll(() => room.close());

describe('a module whose answers are none costs nobody but its own callers:', () => {
  it.each(ANSWERS.map((abuse) => [abuse.name, abuse] as const))('%s', MEASURED, async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
});
