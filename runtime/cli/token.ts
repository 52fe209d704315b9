/** `plexi token`: makes a token for this host, or a new API key. */
import { createHash, randomBytes } from 'node:crypto';
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import { Command, Option } from 'commander';
import { SignJWT } from 'jose';
import { loadHostSettings } from '../config/load-host-settings.ts';
import { readHostSecret } from '../state/data-folder.ts';
import { DEFAULT_CONFIG, settingsFile } from './settings-file.ts';
import { UserError } from './user-error.ts';

export interface TokenClaims {
  readonly sub: string;
  readonly tier: Tier;
  readonly permissions: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  /** What the host's settings ask every token for. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

export function signToken(secret: Uint8Array, claims: TokenClaims): Promise<string> {
  const { sub, tier, permissions, lifetime, issuer, audience } = claims;
  const now = Math.floor(Date.now() / 1000);
  const extra = {
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
  };
  return new SignJWT({ tier, permissions, ...extra })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetime)
    .sign(secret);
}

interface TokenFlags {
  readonly sub: string;
  readonly tier: Tier;
  readonly permissions: string;
  readonly expires: string;
  readonly data?: string;
  readonly config?: string;
  readonly apiKey?: boolean;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('Make a token for callers of this host. Its last line is the bare token.')
    .requiredOption('--sub <user>', 'the user that the caller is')
    .addOption(new Option('--tier <tier>', 'the tier of that user').choices([...TIERS]).default('basic'))
    .option('--permissions <list>', 'comma-separated, such as read,write', '')
    .option('--expires <time>', 'lifetime: 30m, 12h, 7d', '12h')
    .option('--data <folder>', 'the data folder of the host (default: .plexi)')
    .option('--config <file>', `the settings of the host (default: ${DEFAULT_CONFIG}, if there is one)`)
    .option('--api-key', 'make an API key instead, and print the lines for plexi.yaml')
    .addHelpText(
      'after',
      '\nExample:\n  $ plexi token --sub alice --tier premium --permissions read,write --expires 7d',
    )
    .action(async (flags: TokenFlags) => {
      const permissions = flags.permissions
        .split(',')
        .map((permission) => permission.trim())
        .filter((permission) => permission !== '');
      if (flags.apiKey === true) {
        printApiKey(flags, permissions);
        return;
      }
      const lifetime = readLifetime(flags.expires);
      const { settings } = loadHostSettings({
        flags: { data: flags.data },
        environment: process.env,
        file: settingsFile(flags.config),
      });
      const { issuer, audience } = settings.auth;
      const secret = await readHostSecret(settings.data);
      const token = await signToken(secret, { ...flags, permissions, lifetime, issuer, audience });
      process.stdout.write(`${token}\n`);
    });
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function readLifetime(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? 0);
  if (!(seconds > 0))
    throw new UserError(`--expires: found "${text}"; allowed is a number and a unit, such as 30m, 12h or 7d.`);
  return seconds;
}

function printApiKey({ sub, tier }: TokenFlags, permissions: readonly string[]): void {
  const key = `plexi_${randomBytes(24).toString('base64url')}`;
  const lines = [
    '# Into plexi.yaml; the key itself is written nowhere, so keep it now:',
    'auth:',
    '  api_keys:',
    `    - id: ${JSON.stringify(`${sub}-${Date.now().toString(36)}`)}`,
    `      sha256: ${createHash('sha256').update(key).digest('hex')}`,
    `      sub: ${JSON.stringify(sub)}`,
    `      tier: ${tier}`,
    `      permissions: ${JSON.stringify(permissions)}`,
    key,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
