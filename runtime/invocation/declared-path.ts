/** Which paths a module may declare. */

const PARAMETER = /^:[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** What is wrong with a declared path, or undefined. Boundary: nothing reaches a router whose meaning is not plain. */
export function pathProblem(path: string): string | undefined {
  if (!/^\/[A-Za-z0-9\-._~!$&()+,;=@/:*]*$/.test(path)) return 'has characters that are not allowed in a path';
  const segments = path.split('/').slice(1);
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '' && !(last && index > 0) && path !== '/') return 'has an empty segment';
    if (segment === '.' || segment === '..') return 'has a "." or ".." segment';
    if (segment.includes('*') && !(last && segment === '*')) return 'may have "*" only as its whole last segment';
    if (!segment.includes(':')) continue;
    if (!PARAMETER.test(segment) || segment === ':__proto__') {
      return `has the parameter "${segment}"; a parameter is a whole segment of ":" and a name`;
    }
    if (names.has(segment)) return `has the parameter "${segment}" twice`;
    names.add(segment);
  }
  return undefined;
}

export function paramNames(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment.startsWith(':'))
    .map((segment) => segment.slice(1));
}
