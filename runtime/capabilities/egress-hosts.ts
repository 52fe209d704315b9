/** Names that the machine itself knows: those of its hosts file, and `localhost`, which is never asked of a name server. */
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ResolvedAddress } from './address.ts';

/** Undefined: the name is not one of these. */
export type LocalNames = (host: string) => Promise<readonly ResolvedAddress[] | undefined>;

/** How long a change of the file may go unseen. */
const LOOK_AGAIN_MS = 5_000;
const LOOPBACK: readonly ResolvedAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

export function createLocalNames(path = '/etc/hosts'): LocalNames {
  let names: ReadonlyMap<string, readonly ResolvedAddress[]> = new Map();
  let version = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    const { mtimeMs, size } = await stat(path);
    const found = `${mtimeMs}/${size}`;
    if (found === version) return;
    names = readHosts(await readFile(path, 'utf8'));
    version = found;
  };
  return async (host) => {
    if (performance.now() - lookedAt > LOOK_AGAIN_MS) {
      lookedAt = performance.now();
      // A machine without the file, or with one that cannot be read just now, has what was read before.
      await look().catch(() => {});
    }
    return names.get(host) ?? (isLocalhost(host) ? LOOPBACK : undefined);
  };
}

/** hosts(5): an address, its names, and a comment. IPv4 first, as most machines can use it. */
function readHosts(text: string): ReadonlyMap<string, readonly ResolvedAddress[]> {
  const names = new Map<string, ResolvedAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const known = names.get(alias.toLowerCase()) ?? [];
      known.push({ address, family });
      names.set(alias.toLowerCase(), known);
    }
  }
  for (const addresses of names.values()) addresses.sort((a, b) => a.family - b.family);
  return names;
}

/** RFC 6761, 6.3. */
function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
