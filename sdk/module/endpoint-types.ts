/** The types of a handler follow its route and its schemas. Types only: nothing of this file exists at run time. */
import type { Static, TSchema } from 'typebox';
import type { Method, Tier } from '../protocol/declaration.ts';
import type { Caller } from '../protocol/invocation.ts';

/** What a schema describes; a plain type stays itself. */
type Described<Value> = Value extends { '~kind': string } ? (Value extends TSchema ? Static<Value> : never) : Value;

/** The parameters that a path names: `/a/:b/c/:d` → `{ b: string; d: string }`. a last `*` is the key `'*'`. */
export type PathParams<Path extends string> = string extends Path
  ? Readonly<Record<string, string>>
  : { readonly [Name in ParamNames<Path>]: string };

type ParamNames<Path extends string> = Path extends `${infer Segment}/${infer Rest}`
  ? ParamName<Segment> | ParamNames<Rest>
  : ParamName<Path>;

type ParamName<Segment extends string> = Segment extends `:${infer Name}` ? Name : Segment extends '*' ? '*' : never;

/** What a handler may say of its context: plain types, or the schemas themselves (`typeof ParamsSchema`). */
export interface ContextShape {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

type Part<Shape, Key extends PropertyKey, Default> = Key extends keyof Shape ? Described<Shape[Key]> : Default;

/**
 * What a handler gets.
 * @example
 * async getWeather({ params, user, signal }: EndpointContext<{ params: { city: string } }>) {
 *   return { city: params.city, you: user?.id ?? 'nobody' };
 * }
 */
export type EndpointContext<Shape extends ContextShape = object> = ContextParts<
  Part<Shape, 'params', Readonly<Record<string, string>>>,
  Part<Shape, 'query', Readonly<Record<string, string | readonly string[]>>>,
  Part<Shape, 'body', unknown>
>;

/** Over the parts, not over the shape: so that two contexts are compared by what they hold. */
export interface ContextParts<Params, Query, Body> {
  /** Made on first use. Its body is the client's, as it came. */
  readonly request: Request;
  /** Valid and converted to the schema's types, where there is a schema; else the strings of the path. */
  readonly params: Params;
  /** Valid and converted, where there is a schema; else strings, a list for a name that came twice. */
  readonly query: Query;
  /**
   * The parsed JSON; the text itself when the content type is not JSON; undefined when there is none, or when it comes
   * as a stream (uploads): read `request` then.
   */
  readonly body: Body;
  /** Who calls; null when nobody has said who they are. */
  readonly user: Caller | null;
  /** Aborts when the client goes away or the deadline passes. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** An answer with a status: `return json({ id }, 201)`. */
  json(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): Response;
}

export interface EndpointOptions {
  /** The caller needs all of them. */
  readonly permissions?: readonly string[];
  /** Requests per minute and caller. */
  readonly rateLimit?: number;
  readonly userTiers?: readonly Tier[];
  /** Seconds that a GET answer may be served again. */
  readonly cacheTtl?: number;
  /** false: the schemas are documentation only. Default: true. */
  readonly validateInput?: boolean;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly response?: TSchema;
  /** Seconds. */
  readonly timeout?: number;
  /** One sentence for the API documentation. */
  readonly summary?: string;
}

/** Refuses keys that EndpointOptions does not know: type parameters escape TypeScript's own check. */
export type Exactly<Options> = Options & { readonly [Key in Exclude<keyof Options, keyof EndpointOptions>]: never };

export type Route = `${Method} /${string}`;
export type PathOf<RouteText extends string> = RouteText extends `${Method} ${infer Path}` ? Path : string;

type Given<Options, Key extends PropertyKey, Default> = Options extends { readonly [K in Key]: infer Schema }
  ? Described<Schema>
  : Default;

export type ContextOf<Path extends string, Options> = ContextParts<
  Given<Options, 'params', PathParams<Path>>,
  Given<Options, 'query', Readonly<Record<string, string | readonly string[]>>>,
  Given<Options, 'body', unknown>
>;

/** Never satisfied; its name is what the compiler prints. */
export interface HandlerAsksForAnotherContext<Offered> {
  readonly '~offered': Offered;
}

/** A handler that the route's context fits. Methods are compared both ways by TypeScript, so the check is spelled out. */
export type FittingHandler<Handler, Offered> = Handler extends (context: infer Asked) => unknown
  ? [Offered] extends [Asked]
    ? unknown
    : HandlerAsksForAnotherContext<Offered>
  : HandlerAsksForAnotherContext<Offered>;
