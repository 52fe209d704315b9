/** What the HTTP edge needs to know, out of the operator's settings. */
import type { HostSettings } from '../config/settings-schema.ts';
import type { GatewayOptions } from '../gateway/app.ts';
import type { SocketLimits } from '../gateway/serve.ts';
import type { Registry } from '../modules/registry.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Security } from './security.ts';

export interface EdgeParts {
  readonly secret: Uint8Array;
  readonly security: Pick<Security, 'tokens' | 'failedLogins'>;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  readonly mount: NonNullable<GatewayOptions['mount']>;
  readonly log: Logger;
}

const MB = 1024 * 1024;

/** A streamed body may take as long as the slowest endpoint that may read it, and a little for getting there. */
const ARRIVAL_SLACK_MS = 30_000;

export function socketLimits({ trust_proxy, limits }: HostSettings): SocketLimits {
  const { connections_per_address, max_timeout_seconds } = limits;
  return {
    requestTimeoutMs: max_timeout_seconds * 1000 + ARRIVAL_SLACK_MS,
    // All clients of a proxy come from its address, and it is the proxy that counts them.
    maxConnectionsPerAddress: trust_proxy ? Number.POSITIVE_INFINITY : connections_per_address,
  };
}

export function gatewayOptions(
  { limits, auth, trust_proxy }: HostSettings,
  { secret, security, registry, metrics, isReady, mount, log }: EdgeParts,
): GatewayOptions {
  return {
    directory: registry,
    auth: {
      secret,
      ...(auth.jwks_url === undefined ? {} : { jwksUrl: auth.jwks_url }),
      ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
      ...(auth.audience === undefined ? {} : { audience: auth.audience }),
      apiKeys: auth.api_keys,
      findKey: (sha256) => security.tokens.findKey(sha256),
      isRevoked: (id) => security.tokens.isWithdrawn(id),
      failedLogins: security.failedLogins,
    },
    limits: {
      bodyBytes: limits.body_mb * MB,
      uploadBytes: limits.upload_mb * MB,
      maxTimeoutMs: limits.max_timeout_seconds * 1000,
      maxInflight: limits.max_inflight,
    },
    trustedProxies: trust_proxy ? 1 : 0,
    ready: () => {
      const ready = isReady();
      return { ready, detail: ready ? 'All modules have been loaded.' : 'The modules are being loaded.' };
    },
    onAnswer: (answered) => {
      metrics.meterRequest(answered);
      if (answered.status < 500) return;
      const { error, ...facts } = answered;
      log.warn({ ...facts, err: error }, 'request failed');
    },
    onError: (error, requestId) => log.error({ err: error, requestId }, 'request failed'),
    onEndpointProblem: (module, problem) => log.warn({ module }, problem),
    mount,
  };
}
