/** `plexi tokens`: tokens and API keys of a running host, which lists them and takes them back. */
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import { Command, Option } from 'commander';
import { Type } from 'typebox';
import { TOKEN_ID } from '../management/token-input.ts';
import { askAndShow } from './ask-and-show.ts';
import { type HostFlags, withHostOptions } from './host-access.ts';
import { oneLine } from './lines.ts';
import { readRows } from './read-rows.ts';
import { showMade, showTokens } from './show-tokens.ts';
import { MadeTokenSchema, TokensAnswerSchema, TokenViewSchema } from './token-answers.ts';
import { readLifetime, readPermissionList } from './token-flags.ts';
import { UserError } from './user-error.ts';
import { WHICH_HOST } from './which-host.ts';

const PATH = '/api/v1/tokens';

export function tokensCommand(): Command {
  const tokens = new Command('tokens')
    .description('Make, list and revoke tokens and API keys of a running host.')
    .addHelpText('after', `\nExamples:\n${EXAMPLES.join('\n')}\n${WHICH_HOST}`);
  for (const command of [listCommand(), createCommand(), revokeCommand()]) {
    tokens.addCommand(withHostOptions(command).addHelpText('after', WHICH_HOST));
  }
  return tokens;
}

const EXAMPLES = [
  '  $ plexi tokens list',
  '  $ plexi tokens create --name reports --sub robot --permissions read --expires 30d',
  '  $ plexi tokens create --name ci --api-key --permissions read,write',
  '  $ plexi tokens revoke tok_0b54a2f1-6f0e-4c4e-9a54-2f5f3c1d7e90',
] as const;

function example(...indexes: number[]): string {
  return `\nExample:\n${indexes.map((index) => EXAMPLES[index] ?? '').join('\n')}`;
}

function listCommand(): Command {
  return new Command('list')
    .description('Show the tokens and API keys that were made on the host, newest first.')
    .option('--limit <number>', 'so many at most')
    .option('--before <place>', 'go on where the page before ended')
    .addHelpText('after', example(0))
    .action(async ({ limit, before, ...flags }: HostFlags & { limit?: string; before?: string }) => {
      const query = new URLSearchParams({
        ...(limit === undefined ? {} : { limit }),
        ...(before === undefined ? {} : { before }),
      });
      const path = query.size === 0 ? PATH : `${PATH}?${query}`;
      await askAndShow(flags, { method: 'GET', path, answer: TokensAnswerSchema }, ({ tokens, next }) => {
        const { rows, note } = readRows('tokens', tokens, TokenViewSchema);
        if (rows.length === 0)
          return 'No tokens were made on this host; "plexi token" makes some that it does not list.\n';
        const more = typeof next === 'string' ? `There are more: plexi tokens list --before ${oneLine(next)}\n` : '';
        return showTokens(rows, new Date()) + note + more;
      });
    });
}

interface CreateFlags extends HostFlags {
  readonly name: string;
  readonly sub?: string;
  readonly tier: Tier;
  readonly permissions: string;
  readonly expires?: string;
  readonly apiKey?: boolean;
}

function createCommand(): Command {
  return new Command('create')
    .description(
      'Make a token, or an API key, that the host lists and that can be revoked. Its last line is the bare one.',
    )
    .requiredOption('--name <name>', 'what it is for; shown in the list')
    .option('--sub <user>', 'the user that its bearer is (default: you)')
    .addOption(new Option('--tier <tier>', 'the tier of that user').choices([...TIERS]).default('basic'))
    .option('--permissions <list>', 'comma-separated, such as read,write; no more than you have', '')
    .option('--expires <time>', 'lifetime: 30m, 12h, 7d (default: 12h, an API key 90d)')
    .option('--api-key', 'make an API key, for X-API-Key')
    .addHelpText('after', example(1, 2))
    .action(async ({ name, sub, tier, permissions: list, expires, apiKey, ...flags }: CreateFlags) => {
      const permissions = readPermissionList(list);
      const body = JSON.stringify({
        ...{ name, kind: apiKey === true ? 'api_key' : 'token', sub, tier, permissions },
        lifetime: expires === undefined ? undefined : readLifetime(expires),
      });
      const request = { method: 'POST', path: PATH, body, answer: MadeTokenSchema } as const;
      await askAndShow(
        flags,
        request,
        ({ credential, ...made }) => `${showMade(made, new Date())}\n${credential}\n`,
        // Who has the secret of the data folder may sign anything: this token may make what is asked for, and no more.
        permissions,
      );
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .argument('<id>', 'the id that "plexi tokens list" shows')
    .description('Refuse a token or an API key from now on.')
    .addHelpText('after', example(3))
    .action(async (id: string, flags: HostFlags) => {
      // Boundary: what is no id goes nowhere, and is not repeated: it may be the key itself, by mistake.
      if (!TOKEN_ID.test(id)) throw new UserError('That is no id of a token; "plexi tokens list" shows them.');
      const request = { method: 'DELETE', path: `${PATH}/${id}`, answer: Type.Undefined() } as const;
      await askAndShow(flags, request, () => `${id} is refused from now on.\n`);
    });
}
