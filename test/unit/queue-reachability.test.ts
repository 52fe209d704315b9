import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createReachability, isConnectionLost, reasonOf } from '../../runtime/queue/reachability.ts';
import { quietInfo, serverComplaints } from '../../runtime/queue/redis-server-facts.ts';
import { serverName } from '../../runtime/queue/server-name.ts';
import { recordEvents } from '../support/queue-contract.ts';

describe('whether the server of the queue can be reached', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is told once per change', () => {
    const events = recordEvents();
    const reachability = createReachability('Redis at x', events);
    for (let at = 0; at < 3; at++) reachability.lost('it ended');
    for (let at = 0; at < 3; at++) reachability.back();
    expect(events.changes).toEqual([
      { online: false, reason: 'Redis at x cannot be reached: it ended' },
      { online: true, reason: 'Redis at x answers again' },
    ]);
  });

  it('is silent about lost connections, and says the same complaint once a minute', () => {
    const events = recordEvents();
    const { complain } = createReachability('Redis at x', events);
    complain(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
    for (let at = 0; at < 100; at++) complain(new Error('NOPERM this user'));
    complain(new Error('MISCONF'));
    expect(events.errors.map(({ message }) => message)).toEqual(['NOPERM this user', 'MISCONF']);
    vi.advanceTimersByTime(60_000);
    complain(new Error('NOPERM this user'));
    expect(events.errors).toHaveLength(3);
  });

  it('tells a lost connection from a server that refuses', () => {
    const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    expect(isConnectionLost(new AggregateError([refused, refused]))).toBe(true);
    expect(isConnectionLost(new AggregateError([refused, new Error('WRONGPASS')]))).toBe(false);
    expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isConnectionLost(new Error('Missing lock for job 7. moveToFinished'))).toBe(false);
    expect(isConnectionLost('Connection is closed.')).toBe(false);
  });
});

describe('the reason of an error', () => {
  it('says what each address answered, and is no sentence', () => {
    const both = new AggregateError([
      new Error('connect ECONNREFUSED ::1:1'),
      new Error('connect ECONNREFUSED 127.0.0.1:1'),
    ]);
    expect(reasonOf(both)).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1');
    expect(reasonOf(new Error('Connection is closed.'))).toBe('Connection is closed');
    expect(reasonOf('text')).toBe('text');
  });
});

describe('the name of a server in a log', () => {
  it.each([
    ['redis://alice:s3cret@cache.internal:6380/2?password=s3cret', 'redis://cache.internal:6380/2'],
    ['postgres://alice:s3cret@db/tasks?sslkey=s3cret', 'postgres://db/tasks'],
    ['postgres:///tasks?host=/run/postgresql&password=s3cret', 'postgres:///run/postgresql/tasks'],
    ['redis://:s3cret@[broken', 'the server (its URL cannot be read)'],
  ])('has no secret of %s', (url, name) => {
    expect(serverName(url)).toBe(name);
  });
});

describe('what INFO of Redis says', () => {
  const info = (version: string, policy: string) =>
    `# Server\r\nredis_version:${version}\r\nmaxmemory_policy:${policy}\r\n`;

  it('is fine with a new server that throws nothing away', () => {
    expect(serverComplaints('Redis', info('8.0.0', 'noeviction'))).toEqual([]);
    expect(serverComplaints('Redis', '# nothing known\r\n')).toEqual([]);
    expect(serverComplaints('Redis', info('255.255.255', 'noeviction'))).toEqual([]);
  });

  it('is complained about when the server is old or throws runs away', () => {
    const complaints = serverComplaints('Redis', info('6.0.16', 'volatile-lru'));
    expect(complaints.map(({ message }) => message)).toEqual([
      'Redis has version 6.0.16; 6.2.0 or newer is advised.',
      'Redis may throw queued runs away: its maxmemory-policy is "volatile-lru"; set it to "noeviction".',
    ]);
  });

  it('is an error when no queue could work', () => {
    expect(() => serverComplaints('Redis', info('4.0.9', 'noeviction'))).toThrow(/4\.0\.9, and 5\.0\.0 is the oldest/);
  });

  it('reaches BullMQ without what was said already', () => {
    expect(quietInfo(info('7.0.0', 'allkeys-lru'))).toBe(info('7.0.0', 'noeviction'));
  });
});
