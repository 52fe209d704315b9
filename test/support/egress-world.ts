/** An egress with several modules, each with a guest of its own. */
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { createHttpEgress, type HttpEgress, type HttpSettings } from '../../runtime/capabilities/http.ts';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { scriptGuest } from './scripted-guest.ts';

export interface EgressModule {
  fetch(url: string, request?: Record<string, unknown>): Promise<HttpResponse>;
  /** Lets go of an answer's body, with what is left of it read. */
  drain(response: HttpResponse): void;
  cancel(response: HttpResponse): void;
  stop(): void;
}

export interface EgressWorld {
  readonly egress: HttpEgress;
  open(module: string): EgressModule;
}

export interface EgressWorldOptions {
  /** Module → permissions. */
  readonly grants: Readonly<Record<string, readonly string[]>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly settings?: Partial<HttpSettings>;
}

export function egressWorld({ grants, secrets = {}, settings = {} }: EgressWorldOptions): EgressWorld {
  const granted = new Map(
    Object.entries(grants).map(([module, texts]) => [
      module,
      texts.map((text) => {
        const parsed = parsePermission(text);
        if (!parsed.ok) throw new Error(parsed.message);
        return parsed.permission;
      }),
    ]),
  );
  const secret = (_module: string, name: string) => {
    const value = secrets[name];
    return value === undefined ? undefined : { value };
  };
  const egress = createHttpEgress(
    { allowPrivate: new Set(), timeoutMs: 10_000, maxResponseBytes: 1_000_000, ...settings },
    { granted: (module) => granted.get(module) ?? [], secret },
  );
  return { egress, open: (module) => openModule(egress, module) };
}

function openModule(egress: HttpEgress, module: string): EgressModule {
  const guest = scriptGuest();
  const life = new AbortController();
  const methods = egress.capability({
    module,
    session: () => guest.session,
    admitLine: () => true,
    signal: life.signal,
  });
  let id = 0;
  const say = ({ body }: HttpResponse, op: 'credit' | 'cancel') => {
    if (body.kind === 'stream') guest.say({ stream: body.stream, op, ...(op === 'credit' && { bytes: 65_536 }) });
  };
  return {
    fetch: (url, request = {}) =>
      Promise.resolve(
        methods.fetch?.({ id: ++id, method: 'GET', url, headers: [], body: { kind: 'none' }, ...request }),
      ) as Promise<HttpResponse>,
    drain: (response) => say(response, 'credit'),
    cancel: (response) => say(response, 'cancel'),
    stop: () => life.abort(),
  };
}
