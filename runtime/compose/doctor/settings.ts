/** What the operator's settings keep up, and what they take down on purpose. */
import type { HostSettings } from '../../config/settings-schema.ts';
import { type Finding, failed, off, on } from './finding.ts';
import { isLoopback } from './loopback.ts';
import { judgeQueueLink } from './queue-link.ts';

export function judgeSettings(settings: HostSettings): readonly Finding[] {
  return [
    judgeAddress(settings),
    judgeProxy(settings),
    judgeTokens(settings),
    judgeQueueLink(settings),
    judgeNeighbours(settings),
    judgeProcessorTime(settings),
    judgeDiagnostics(settings),
    judgeJit(settings),
    judgePrivate(settings),
    judgeMetrics(settings),
  ];
}

function judgeAddress({ host }: HostSettings): Finding {
  const name = 'address';
  if (isLoopback(host)) return on(name, `The host listens on ${host}: only programs of this machine reach it.`);
  return off(
    name,
    `The host listens on ${host}: whoever reaches this machine reaches it, and without TLS reads what is sent.`,
    'Listen on 127.0.0.1 (host, --host) behind a proxy with TLS.',
  );
}

function judgeProxy({ trust_proxy, host }: HostSettings): Finding {
  const name = 'client addresses';
  if (!trust_proxy) return on(name, 'Limits by address use the address that a connection really has.');
  if (isLoopback(host)) {
    return on(name, 'X-Forwarded-* is believed (trust_proxy), and only programs of this machine can send it here.');
  }
  return off(
    name,
    'trust_proxy is on and the address is open: who gets past the proxy names any address, and evades limits by address.',
    'Turn trust_proxy off, or listen where only the proxy connects.',
  );
}

function judgeTokens({ auth: { jwks_url, issuer, audience } }: HostSettings): Finding {
  const name = 'tokens';
  if (jwks_url === undefined) {
    return on(name, "Tokens are signed with the host's own secret, which is in its data folder and in no cell.");
  }
  const url = new URL(jwks_url);
  const place = `${url.protocol}//${url.host}`;
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return failed(
      name,
      'setting',
      `The keys of tokens come from ${place} without TLS: who is on the way makes tokens of any user.`,
      'Name an https:// URL in auth.jwks_url.',
    );
  }
  const missing = [issuer === undefined ? 'auth.issuer' : '', audience === undefined ? 'auth.audience' : ''].filter(
    Boolean,
  );
  if (missing.length === 0) return on(name, `Tokens come from ${place}, for this audience and by this issuer only.`);
  return off(
    name,
    `Tokens come from ${place}, and one that it made for another service is good here too.`,
    `Set ${missing.join(' and ')}.`,
  );
}

function judgeNeighbours({ cells }: HostSettings): Finding {
  const name = 'cell per module';
  if (cells === 'per-module')
    return on(name, 'Each module is alone in its process: what ends that, harms nobody else.');
  return off(
    name,
    'Modules share cells: what kills one restarts its neighbours, and code that left its realm is among them.',
    'Set cells: per-module; each running module then costs a process.',
  );
}

function judgeProcessorTime({ limits: { max_cpu_ms } }: HostSettings): Finding {
  const name = 'processor time';
  if (max_cpu_ms !== undefined) {
    return on(name, `No invocation uses more than ${max_cpu_ms} ms of processor time.`);
  }
  return off(
    name,
    'A module that names no budget of its own may use a processor until the deadline of each invocation.',
    'Set limits.max_cpu_ms.',
  );
}

function judgeDiagnostics({ diagnostics }: HostSettings): Finding {
  const name = 'diagnostics';
  if (diagnostics.length === 0) return on(name, 'No module keeps its stack traces.');
  return off(
    name,
    `Stack traces are kept, and one wall of the realm is down, for ${list(diagnostics)}.`,
    'Take modules off diagnostics when you have seen what you wanted.',
  );
}

function judgeJit({ jit }: HostSettings): Finding {
  const name = 'jit.full';
  if (jit.full.length === 0) return on(name, 'No module may use the compiler whose loops cannot always be ended.');
  return off(
    name,
    `Ending them may take their cell along, and each has one of its own: ${list(jit.full)}.`,
    'List only modules whose authors you trust in jit.full.',
  );
}

function judgePrivate({ egress }: HostSettings): Finding {
  const name = 'private network';
  if (egress.allow_private.length === 0) {
    return on(name, 'Whatever modules are granted, nothing with a private address is reached.');
  }
  return off(
    name,
    `Modules with the grant reach these although they are private: ${list(egress.allow_private)}.`,
    'List only services that strangers may ask in egress.allow_private.',
  );
}

function judgeMetrics({ metrics, host }: HostSettings): Finding {
  const name = 'metrics';
  if (!metrics.public) return on(name, 'GET /metrics is for callers with modules:read.');
  if (isLoopback(host)) return on(name, 'GET /metrics is public, on an address of this machine only.');
  return off(
    name,
    'GET /metrics tells everybody which modules there are and how much they are used.',
    'Turn metrics.public off and give the scraper a token.',
  );
}

const MAX_LISTED = 5;

function list(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return `${names.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
