/** Tokens as a person reads them. Names may be anybody's words. */
import { oneLine } from './lines.ts';
import { table } from './table.ts';
import { showMoment } from './times.ts';
import type { TokenAnswer } from './token-answers.ts';

export function showTokens(tokens: readonly TokenAnswer[], now: Date): string {
  const rows = tokens.map((token) => ({
    cells: [token.name, kindOf(token), token.sub, token.tier, when(token.used_at, now, 'never'), endOf(token, now)],
    notes: [token.id, `may: ${token.permissions.join(', ') || 'nothing that takes a permission'}`],
  }));
  return table(['NAME', 'KIND', 'USER', 'TIER', 'USED', 'ENDS'], rows);
}

/** Everything but the credential. */
export function showMade(token: TokenAnswer, now: Date): string {
  const { id, name, sub, tier, permissions } = token;
  const may = permissions.length === 0 ? 'no permissions' : `the permissions ${permissions.join(', ')}`;
  const what = kindOf(token).startsWith('API key') ? 'API key' : 'token';
  return [
    `The ${what} ${oneLine(name)} for ${oneLine(sub)}, of the ${oneLine(tier)} tier, with ${oneLine(may)}.`,
    `It ends ${oneLine(showMoment(token.expires_at, now))}. To revoke it: plexi tokens revoke ${oneLine(id)}`,
    'It is shown this once:',
    '',
  ].join('\n');
}

function kindOf({ kind, prefix }: TokenAnswer): string {
  if (kind === 'token') return 'token';
  return kind === 'api_key' ? `API key ${prefix ?? ''}…` : kind;
}

function endOf({ revoked_at, expires_at }: TokenAnswer, now: Date): string {
  return revoked_at === null ? when(expires_at, now, '') : `revoked ${showMoment(revoked_at, now)}`;
}

function when(iso: string | null, now: Date, otherwise: string): string {
  return iso === null ? otherwise : showMoment(iso, now);
}
