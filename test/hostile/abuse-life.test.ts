import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Abuse } from '../support/abuse.ts';
import { LIFE } from '../support/abuse-life.ts';
import { AbuseRoom } from '../support/abuse-room.ts';
import { expectContained, MEASURED } from '../support/abuse-verdict.ts';

/** These are given many seconds to come up or to go down, and wait side by side. */
const isSlow = ({ name }: Abuse): boolean => /^a (loop|wait for ever) in /.test(name);

describe('a module that does not live as it should costs nobody but itself and its cell:', () => {
  let room: AbuseRoom;
  beforeAll(async () => {
    room = await AbuseRoom.open(LIFE);
  });
  afterAll(() => room.close());

  const named = (abuses: readonly Abuse[]) => abuses.map((abuse) => [abuse.name, abuse] as const);
  it.each(named(LIFE.filter((abuse) => !isSlow(abuse))))('%s', MEASURED, async (_name, abuse) => {
    expectContained(abuse, await room.run(abuse));
  });
  it.concurrent.each(named(LIFE.filter(isSlow)))(
    '%s',
    async (_name, abuse) => {
      expectContained(abuse, await room.run(abuse));
    },
    60_000,
  );
});
