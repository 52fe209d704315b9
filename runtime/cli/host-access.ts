/** Which host a command talks to, and with which token. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { loadHostSettings } from '../config/load-host-settings.ts';
import { signToken } from '../policy/sign-token.ts';
import { readHostSecret } from '../state/data-folder.ts';
import { findRunningHost } from './running-host.ts';
import { DEFAULT_CONFIG, settingsFile } from './settings-file.ts';
import { UserError } from './user-error.ts';

export interface HostFlags {
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface HostAccess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** What to try when the host refuses the token. */
  readonly refusedHint: string;
}

export function withHostOptions(command: Command): Command {
  return command
    .option('--json', "print the host's answer as JSON")
    .option('--data <folder>', 'the data folder of a host on this machine (default: .plexi)')
    .option('--config <file>', `the settings of that host (default: ${DEFAULT_CONFIG}, if there is one)`)
    .option('--url <url>', 'the host, wherever it is (default: PLEXI_URL, or the host of the data folder)')
    .option('--token <token>', 'a token for it (default: PLEXI_TOKEN, which no list of processes shows)');
}

const TOKEN_SECONDS = 60;
const PERMISSIONS = ['modules:read', 'modules:manage'];

/**
 * @param besides permissions of the token that the command signs itself, besides those of operators
 * @throws UserError, HostError, DataFolderError, HostSettingsError
 */
export async function findHost(flags: HostFlags, besides: readonly string[] = []): Promise<HostAccess> {
  // A folder that is named is meant, whatever the environment says about other hosts.
  const environment = flags.data === undefined ? process.env : {};
  const url = readUrl(flags.url ?? (environment.PLEXI_URL || undefined));
  const token = readToken(flags.token ?? (environment.PLEXI_TOKEN || undefined));
  if (url !== undefined && token !== undefined) return { url, token, refusedHint: 'Give a token of that host.' };
  const { settings } = loadHostSettings({
    flags: { data: flags.data },
    environment: process.env,
    file: settingsFile(flags.config),
  });
  const { data, auth } = settings;
  if (token !== undefined) {
    const given = await findRunningHost(data, { named: url, isTokenGiven: true });
    return { url: given.url, token, refusedHint: 'Give another token.' };
  }
  const secret = await readHostSecret(data);
  const running = await findRunningHost(data, { named: url, isTokenGiven: false });
  const { issuer, audience } = auth;
  return {
    url: running.url,
    token: await signToken(secret, {
      sub: `cli:${userName()}`,
      tier: 'admin',
      permissions: [...PERMISSIONS, ...besides],
      lifetime: TOKEN_SECONDS,
      issuer,
      audience,
    }),
    refusedHint: 'If the host was started with --config, name the same file here: it may ask for an issuer.',
  };
}

function readUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]/.test(text);
  if (!plain) throw new UserError('--url: allowed is a URL such as http://127.0.0.1:8080, without a user or a query.');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** Boundary: it becomes a header; a line break would start another one. */
function readToken(text: string | undefined): string | undefined {
  if (text === undefined || /^[\x21-\x7e]{1,8192}$/.test(text)) return text;
  throw new UserError('--token: allowed is the bare token, one word, as "plexi token" prints it.');
}

function userName(): string {
  try {
    return userInfo()
      .username.replace(/[^\w.@-]/g, '_')
      .slice(0, 100);
  } catch {
    // A container may run as a user without a name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
