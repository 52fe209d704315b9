/** Records of the queue in one hash of Redis. */
import type { RecordStore } from './backend.ts';

export interface HashCommands {
  hget(hash: string, field: string): Promise<string | null>;
  hset(hash: string, field: string, text: string): Promise<unknown>;
  hdel(hash: string, field: string): Promise<unknown>;
  hincrby(hash: string, field: string, step: number): Promise<number>;
  hscan(
    hash: string,
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    size: number,
  ): Promise<[cursor: string, pairs: string[]]>;
}

const SCAN_SIZE = 500;

export function createRedisRecords(redis: HashCommands, prefix: string): RecordStore {
  // Keys of BullMQ have three parts, so that no queue's name meets this one.
  const hash = `${prefix}:records`;
  return {
    async read(key) {
      return (await redis.hget(hash, key)) ?? undefined;
    },
    async list(start) {
      const found = new Map<string, string>();
      const pattern = `${start.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
      let cursor = '0';
      do {
        const [next, pairs] = await redis.hscan(hash, cursor, 'MATCH', pattern, 'COUNT', SCAN_SIZE);
        for (let at = 0; at + 1 < pairs.length; at += 2) found.set(pairs[at] ?? '', pairs[at + 1] ?? '');
        cursor = next;
      } while (cursor !== '0');
      return new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
    },
    async write(key, text) {
      await redis.hset(hash, key, text);
    },
    async delete(key) {
      await redis.hdel(hash, key);
    },
    async increment(key) {
      return redis.hincrby(hash, key, 1);
    },
  };
}
