/** A server's URL as it may stand in a log: without its user, its password and its options. */
export function serverName(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // Boundary: a URL that cannot be read may have its password anywhere, so nothing of it is shown.
  if (!parsed) return 'the server (its URL cannot be read)';
  return `${parsed.protocol}//${parsed.host || parsed.searchParams.get('host') || 'localhost'}${parsed.pathname}`;
}
