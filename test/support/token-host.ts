/** The edge with the routes of tokens and a book over a state in memory, as a host puts them together. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeHostFile } from '../../runtime/cli/host-file.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import type { AuditEntry } from '../../runtime/management/audit.ts';
import { mountTokens } from '../../runtime/management/token-routes.ts';
import { signToken } from '../../runtime/policy/sign-token.ts';
import { openTokenBook } from '../../runtime/policy/token-book.ts';
import type { TokenLimits } from '../../runtime/policy/token-rules.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { fakeGateway, fakeModule, SECRET } from './fake-modules.ts';
import { type MemoryState, openMemoryState } from './memory-state.ts';
import { tempFolder } from './temp-folder.ts';

export interface TokenEdge {
  readonly gateway: ReturnType<typeof fakeGateway>;
  readonly state: MemoryState;
  readonly audited: AuditEntry[];
}

export async function tokenEdge(secret = SECRET, limits: Partial<TokenLimits> = {}): Promise<TokenEdge> {
  const state = openMemoryState();
  const audited: AuditEntry[] = [];
  const tokens = await openTokenBook({
    state,
    sign: (claims) => signToken(secret, claims),
    onWarning: () => {},
    onFailure: () => {},
    limits,
  });
  onTestFinished(() => tokens.close());
  const gateway = fakeGateway([fakeModule({ endpoints: { 'GET /': {}, 'GET /read': { permissions: ['read'] } } })], {
    auth: { secret, findKey: (digest) => tokens.findKey(digest), isRevoked: (id) => tokens.isWithdrawn(id) },
    mount: (platform, tools) =>
      mountTokens(platform, tools, { tokens, audit: (entry: AuditEntry) => void audited.push(entry) }),
  });
  return { gateway, state, audited };
}

/** Announced in its data folder as `plexi serve` does it. */
export async function tokenHost(): Promise<TokenEdge & { readonly data: string; readonly url: string }> {
  const data = join(tempFolder(), 'data');
  const { secret } = await openDataFolder(data);
  const edge = await tokenEdge(Buffer.from(secret));
  const server = await serveGateway(edge.gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  await writeHostFile(data, server.url);
  return { ...edge, data, url: server.url };
}
