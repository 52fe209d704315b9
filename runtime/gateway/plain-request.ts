/**
 * Boundary: one request means one thing. What another server in front could have read differently (which host, which
 * target, where the body ends, which of two credentials) is refused before anything of it is looked at.
 */
import type { IncomingMessage } from 'node:http';
import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** Far more than browsers and proxies send. */
const MAX_HEADERS = 100;
const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,254}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** Node takes the first of these and drops the others without a word. */
const ONCE: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'transfer-encoding']);
const LONGEST_ONCE = 'transfer-encoding'.length;

type Request = Pick<IncomingMessage, 'httpVersion' | 'rawHeaders' | 'headers' | 'url'>;

/** What is wrong with it; the connection ends with the answer, since its next bytes may be part of the same trick. */
export function requestProblem({ httpVersion, rawHeaders, headers, url = '' }: Request): PlexiError | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return malformed(`The version HTTP/${httpVersion} is not spoken here; allowed are 1.1 and 1.0.`, 505);
  }
  const count = rawHeaders.length / 2;
  if (count > MAX_HEADERS) return malformed(`There are ${count} headers; at most ${MAX_HEADERS} are allowed.`, 431);
  const doubled = count > 1 ? doubledHeader(rawHeaders) : undefined;
  if (doubled !== undefined) return malformed(`The header ${doubled} is there more than once.`);

  const { host } = headers;
  if (host === undefined) return malformed('The Host header is missing.');
  if (host !== lastPlainHost && !isPlainHost(host)) return malformed('The Host header is not a host and port.');
  const isPath = url.startsWith('/');
  if (!isPath && !url.startsWith(`http://${host}/`)) {
    return malformed('The request target must be a path, or an http:// URL whose host is the one in the Host header.');
  }

  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (httpVersion === '1.0') return malformed('HTTP/1.0 knows no Transfer-Encoding.');
  if (coding.toLowerCase() === 'chunked') return undefined;
  return malformed('The Transfer-Encoding is not understood; allowed is chunked.', 501);
}

let lastPlainHost: string | undefined;

/** As a URL has it too: `127.1` and `1.2.3.999` would be another host to the module, or none. */
function isPlainHost(host: string): boolean {
  if (!HOST.test(host)) return false;
  const url = URL.parse(`http://${host}`);
  // An IPv6 address may be written in several ways, all of which name the same host.
  const isSame = host.startsWith('[') ? url !== null : url?.hostname === host.replace(/:\d+$/, '').toLowerCase();
  if (!isSame) return false;
  lastPlainHost = host;
  return true;
}

export function malformed(message: string, status = 400): PlexiError {
  return new PlexiError('MALFORMED_REQUEST', message, { status });
}

function doubledHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] ?? '';
    if (raw.length > LONGEST_ONCE) continue;
    const name = raw.toLowerCase();
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
