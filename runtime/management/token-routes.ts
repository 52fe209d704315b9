/** `/api/v1/tokens`: tokens and API keys for callers of this host. What is made is shown once, in the answer. */
import { Hono } from 'hono';
import type { GatewayTools } from '../gateway/app.ts';
import type { GatewayEnv } from '../gateway/env.ts';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { TokenBook } from '../policy/token-book.ts';
import { newTokenId } from '../policy/token-rules.ts';
import type { TokenRecord } from '../state/token-store.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseBody, refuseQuery } from './task-input.ts';
import { readTokenBody, readTokenId, readTokensQuery } from './token-input.ts';

export interface TokenParts {
  readonly tokens: Pick<TokenBook, 'list' | 'create' | 'revoke'>;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 60;
const MAX_BODY_BYTES = 64 * 1024;
const MAX_WORDS_BYTES = 1024;

export function mountTokens(platform: Hono<GatewayEnv>, { authenticate }: GatewayTools, parts: TokenParts): void {
  platform.route('/api/v1/tokens', tokenRoutes({ authenticate, ...parts }));
}

function tokenRoutes({
  authenticate,
  tokens,
  audit,
}: TokenParts & { readonly authenticate: Authenticate }): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const mayAct = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);

  routes.get('/', ...mayRead, (context) => {
    const { tokens: found, next } = tokens.list(readTokensQuery(context.req.url));
    return context.json({ tokens: found.map(view), next: next ?? null });
  });

  routes.post('/', ...mayAct, async (context) => {
    refuseQuery(context.req.url);
    const asked = readTokenBody(await receiveJson(context, MAX_BODY_BYTES));
    const operator = context.get('operator');
    const id = newTokenId(asked.kind);
    const subject = { token: id, sub: asked.sub ?? operator.caller.id, permissions: asked.permissions };
    const made = await audited(context, 'token.create', subject, () => tokens.create({ ...asked, id }, operator));
    return context.json({ ...view(made.record), credential: made.credential }, 201);
  });

  routes.delete('/:id', ...mayAct, async (context) => {
    const token = readTokenId(context.req.param('id'));
    refuseQuery(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    await audited(context, 'token.revoke', { token }, (operator) => tokens.revoke(token, operator));
    return context.body(null, 204);
  });

  routes.all('/', ...mayRead, () => refuseMethod('GET, HEAD, POST'));
  routes.all('/:id', ...mayRead, () => refuseMethod('DELETE'));
  return routes;
}

/** Boundary: neither a key nor its hash. */
function view(record: TokenRecord) {
  const { id, kind, name, sub, tier, permissions, prefix } = record;
  return {
    ...{ id, kind, name, sub, tier, permissions },
    prefix: prefix ?? null,
    made_at: moment(record.madeAt),
    made_by: record.madeBy,
    made_with: record.madeWith ?? null,
    expires_at: moment(record.expiresAt),
    used_at: moment(record.usedAt),
    revoked_at: moment(record.revokedAt),
    revoked_by: record.revokedBy ?? null,
  };
}

function moment(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
