/** Endpoints without decorators: `this.router.get(path, options, handler)` in setupRoutes or in the constructor. */
import type { Method } from '../protocol/declaration.ts';
import type { ContextOf, EndpointContext, EndpointOptions, Exactly } from './endpoint-types.ts';

export type AnyHandler = (context: EndpointContext) => unknown;

/** Anything that answers a Request: a Hono app, or an object of the author's. */
export interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
}

export interface RouterRecord {
  readonly route: string;
  readonly options: EndpointOptions;
  readonly handler: AnyHandler;
}

interface AddRoute {
  <const Path extends `/${string}`>(path: Path, handler: (context: ContextOf<Path, object>) => unknown): void;
  <const Path extends `/${string}`, const Options extends EndpointOptions>(
    path: Path,
    options: Exactly<Options>,
    handler: (context: ContextOf<Path, Options>) => unknown,
  ): void;
}

/**
 * Adds endpoints; the options are those of moduleEndpoint, and the handler's context follows path and schemas.
 * @example
 * this.router.get('/weather/:city', { rateLimit: 30 }, ({ params }) => ({ city: params.city }));
 */
export interface Router {
  readonly get: AddRoute;
  readonly post: AddRoute;
  readonly put: AddRoute;
  readonly patch: AddRoute;
  readonly delete: AddRoute;
  /**
   * Hands everything below `path` to an app, with the URL's path cut to what follows `path`.
   * @example
   * this.router.mount('/v2', new Hono().get('/hello', (c) => c.text('hi')));
   */
  mount(path: `/${string}`, app: FetchApp, options?: EndpointOptions): void;
}

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * @param records is filled by the router's methods, in the order of the calls
 * @param prefix api.prefix of the module: what a mounted app does not see of a path
 */
export function createRouter(records: RouterRecord[], prefix: string): Router {
  const add = (method: Method): AddRoute => {
    const addRoute = (path: string, ...rest: readonly unknown[]): void => {
      const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest;
      if (typeof path !== 'string' || !path.startsWith('/')) {
        throw new TypeError(
          `router.${method.toLowerCase()}: the path must start with "/", found ${JSON.stringify(path)}.`,
        );
      }
      if (typeof handler !== 'function') {
        throw new TypeError(
          `router.${method.toLowerCase()}('${path}', …): the last argument must be the handler, a function.`,
        );
      }
      records.push({
        route: `${method} ${path}`,
        options: (options ?? {}) as EndpointOptions,
        handler: handler as AnyHandler,
      });
    };
    return addRoute;
  };
  return Object.freeze({
    get: add('GET'),
    post: add('POST'),
    put: add('PUT'),
    patch: add('PATCH'),
    delete: add('DELETE'),
    mount(path: string, app: FetchApp, options: EndpointOptions = {}): void {
      if (typeof app?.fetch !== 'function')
        throw new TypeError(`router.mount('${path}', app): the app has no fetch method.`);
      if (/[:*]/.test(path))
        throw new TypeError(`router.mount('${path}', app): the path must be plain, without ":" and "*".`);
      const base = path.replace(/\/+$/, '');
      for (const method of METHODS) {
        const handler: AnyHandler = ({ request }) => app.fetch(relativeTo(prefix + base, request));
        records.push({ route: `${method} ${base}/*`, options, handler });
      }
    },
  });
}

/** The request with the path that is left after `base`; `/` for `base` itself. */
function relativeTo(base: string, request: Request): Request {
  const url = new URL(request.url);
  url.pathname = url.pathname.startsWith(base) ? url.pathname.slice(base.length) || '/' : url.pathname;
  return new Request(url.href, request);
}
