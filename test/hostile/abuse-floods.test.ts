import { afterAll, beforeAll, describe, it } from 'vitest';
import { FLOODS } from '../support/abuse-floods.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained, MEASURED } from '../support/abuse-verdict.ts';

const GROUPS = Map.groupBy(FLOODS, ({ settings }) => Object.keys(settings).join() || 'the usual limits');

describe.each([...GROUPS])('a module that floods a host with %s costs nobody but itself:', (_settings, abuses) => {
  let room: AbuseRoom;
  beforeAll(async () => {
    room = await AbuseRoom.open(abuses);
  });
  afterAll(() => room.close());

  it.each(abuses.map((abuse) => [abuse.name, abuse] as const))('%s', MEASURED, async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
});
