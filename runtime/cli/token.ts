/** `plexi token`: makes a token for this host, or a new API key. */
import { createHash, randomBytes } from 'node:crypto';
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import { Command, Option } from 'commander';
import { loadHostSettings } from '../config/load-host-settings.ts';
import { signToken } from '../policy/sign-token.ts';
import { readHostSecret } from '../state/data-folder.ts';
import { DEFAULT_CONFIG, settingsFile } from './settings-file.ts';
import { readLifetime, readPermissionList } from './token-flags.ts';

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
      const permissions = readPermissionList(flags.permissions);
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

function printApiKey({ sub, tier }: TokenFlags, permissions: readonly string[]): void {
  const key = `plexi_${randomBytes(32).toString('base64url')}`;
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
