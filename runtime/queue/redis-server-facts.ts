/** What INFO of a Redis says about its fitness for a queue. */
import { coerce, lt } from 'semver';

/** BullMQ refuses what is older, so that no queue would ever work. */
const MINIMUM = '5.0.0';
const RECOMMENDED = '6.2.0';

/** @throws Error when the server is too old for BullMQ */
export function serverComplaints(server: string, info: string): Error[] {
  const complaints: Error[] = [];
  const version = coerce(field(info, 'redis_version'));
  if (version !== null && lt(version, MINIMUM)) {
    throw new Error(`its version is ${version}, and ${MINIMUM} is the oldest that works (${RECOMMENDED} is advised)`);
  }
  if (version !== null && lt(version, RECOMMENDED)) {
    complaints.push(new Error(`${server} has version ${version}; ${RECOMMENDED} or newer is advised.`));
  }
  const policy = field(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    complaints.push(
      new Error(`${server} may throw queued runs away: its maxmemory-policy is "${policy}"; set it to "noeviction".`),
    );
  }
  return complaints;
}

/** The same without what was complained about already: BullMQ would print it again for each connection. */
export function quietInfo(info: string): string {
  return info.replace(/^maxmemory_policy:.*$/m, 'maxmemory_policy:noeviction');
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
