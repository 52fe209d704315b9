/** The part of core-js-pure that the guest takes; the package ships no types. */
declare module 'core-js-pure/stable/url/index.js' {
  const URL: {
    new (
      url: string,
      base?: string,
    ): { href: string; readonly origin: string; protocol: string; username: string; password: string; search: string };
    canParse(url: string, base?: string): boolean;
  };
  export default URL;
}

declare module 'core-js-pure/stable/url-search-params/index.js' {
  const URLSearchParams: {
    new (init?: string): Iterable<[string, string]> & { append(name: string, value: string): void; toString(): string };
  };
  export default URLSearchParams;
}
