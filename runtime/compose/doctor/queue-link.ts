/** Whether what travels between the host and its queue can be read or changed on the way. */
import type { HostSettings } from '../../config/settings-schema.ts';
import { type Finding, failed, off, on } from './finding.ts';
import { isLoopback } from './loopback.ts';

interface Link {
  readonly kind: 'Redis' | 'PostgreSQL';
  /** Host names; none for a socket in a folder. */
  readonly hosts: readonly string[];
  readonly tls: 'checked' | 'unchecked' | 'none';
  readonly remedy: string;
}

const NAME = 'queue';

/** Boundary: of URLs and options only host names are said. */
export function judgeQueueLink(settings: HostSettings): Finding {
  const redis = redisLink(settings);
  const postgres = settings.queue === undefined ? undefined : postgresLink(settings.queue);
  if (redis !== undefined && postgres !== undefined) {
    return failed(NAME, 'setting', 'Both redis and queue name a server for tasks: the host has no queue.', 'Keep one.');
  }
  const link = redis ?? postgres;
  if (link === undefined) return on(NAME, 'The queue of tasks is embedded: what is in it does not leave this machine.');
  const { kind, hosts, tls, remedy } = link;
  const far = hosts.filter((host) => !isLoopback(host));
  if (far.length === 0) return on(NAME, `The queue of tasks is a ${kind} on this machine.`);
  const where = `${kind} on ${far.slice(0, 3).join(', ')}`;
  if (tls === 'checked') return on(NAME, `The queue of tasks is a ${where}, over TLS.`);
  const risk = 'who is on the way reads the data of tasks, and makes runs of any task';
  if (tls === 'unchecked') {
    return off(NAME, `${where}: over TLS, but with whoever answers there; ${risk}.`, remedy);
  }
  return off(NAME, `${where}, without TLS: ${risk}.`, remedy);
}

function redisLink({ redis, redis_options: options, redis_cluster: cluster }: HostSettings): Link | undefined {
  if (redis === undefined && cluster.length === 0 && Object.keys(options).length === 0) return undefined;
  const url = redis !== undefined && URL.canParse(redis) ? new URL(redis) : undefined;
  const { tls } = options;
  const unchecked = isObject(tls) && tls.rejectUnauthorized === false;
  const isTls = url?.protocol === 'rediss:' || (tls !== undefined && tls !== null && tls !== false);
  return {
    kind: 'Redis',
    hosts: redisHosts(url, options, cluster),
    tls: isTls ? (unchecked ? 'unchecked' : 'checked') : 'none',
    remedy: unchecked
      ? 'Give redis_options.tls the ca of the server, and take rejectUnauthorized away.'
      : 'Use a rediss:// URL, or redis_options.tls.',
  };
}

function redisHosts(
  url: URL | undefined,
  options: HostSettings['redis_options'],
  cluster: readonly string[],
): string[] {
  if (cluster.length > 0) return cluster.map((node) => node.slice(0, node.lastIndexOf(':')));
  const { sentinels, host, path } = options;
  if (Array.isArray(sentinels)) {
    return sentinels.map((each: unknown) => (isObject(each) ? String(each.host) : 'a Sentinel'));
  }
  if (typeof path === 'string') return [];
  if (typeof host === 'string') return [host];
  return [url?.hostname || 'localhost'];
}

function postgresLink(text: string): Link {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname || url?.searchParams.get('host') || 'localhost';
  const mode =
    url?.searchParams.get('sslmode') ?? (url?.searchParams.get('ssl') === 'true' ? 'verify-full' : 'disable');
  const checked = url?.searchParams.get('uselibpqcompat') === 'true' ? CHECKED_BY_LIBPQ : CHECKED;
  const tls = checked.has(mode) ? 'checked' : mode === 'disable' ? 'none' : 'unchecked';
  return {
    kind: 'PostgreSQL',
    hosts: host.startsWith('/') ? [] : [host],
    tls,
    remedy: 'Add sslmode=verify-full to its URL.',
  };
}

const CHECKED_BY_LIBPQ: ReadonlySet<string> = new Set(['verify-ca', 'verify-full']);
/** The driver's own reading takes all of them for verify-full. */
const CHECKED: ReadonlySet<string> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
