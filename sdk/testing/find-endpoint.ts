/** Which declared endpoint a path means, and what its parameters are. */
import type { EndpointDeclaration } from '../protocol/declaration.ts';

export interface EndpointMatch {
  readonly endpoint: EndpointDeclaration;
  readonly params: Record<string, string>;
  readonly query: Record<string, string | string[]>;
  readonly url: string;
}

interface NoMatch {
  readonly code: 'NOT_FOUND' | 'METHOD_NOT_ALLOWED';
  readonly message: string;
}

type Query = Readonly<Record<string, string | readonly string[]>>;

/** Of several that match, the one that was declared first. */
export function findEndpoint(
  endpoints: readonly EndpointDeclaration[],
  method: string,
  path: string,
  extraQuery: Query,
  prefix: string,
): EndpointMatch | NoMatch {
  const url = new URL(path, 'http://module.test');
  for (const [name, value] of Object.entries(extraQuery)) {
    for (const each of typeof value === 'string' ? [value] : value) url.searchParams.append(name, each);
  }
  const found = endpoints
    .map((endpoint) => ({ endpoint, params: matchPath(endpoint.path, url.pathname) }))
    .filter((candidate) => candidate.params !== undefined);
  const match = found.find(({ endpoint }) => endpoint.method === method);
  if (match === undefined) {
    if (found.length === 0) return { code: 'NOT_FOUND', message: `No endpoint answers ${url.pathname}.` };
    const allowed = found.map(({ endpoint }) => endpoint.method).join(', ');
    return { code: 'METHOD_NOT_ALLOWED', message: `${url.pathname} allows ${allowed}.` };
  }
  return {
    endpoint: match.endpoint,
    params: match.params ?? {},
    query: readQuery(url),
    url: `${url.origin}${prefix}${url.pathname}${url.search}`,
  };
}

function matchPath(pattern: string, pathname: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = pathname.split('/');
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    if (segment === '*') {
      params['*'] = given.slice(index).map(decodeURIComponent).join('/');
      return params;
    }
    const part = given[index];
    if (part === undefined) return undefined;
    if (segment.startsWith(':') && part !== '') params[segment.slice(1)] = decodeURIComponent(part);
    else if (segment !== part) return undefined;
  }
  return wanted.length === given.length ? params : undefined;
}

function readQuery(url: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const [first = '', ...rest] = url.searchParams.getAll(name);
    query[name] = rest.length === 0 ? first : [first, ...rest];
  }
  return query;
}
