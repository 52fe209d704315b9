/** Reads the command line, runs one command, says with which code the process ends. */
import { Command, CommanderError } from 'commander';
import { JailError } from '../cells/jail/probe-jail.ts';
import { HostSettingsError } from '../config/load-host-settings.ts';
import { ListenError } from '../gateway/serve.ts';
import { printable } from '../observability/printable.ts';
import { DataFolderError } from '../state/data-folder.ts';
import { StateError } from '../state/state.ts';
import { VaultKeyError } from '../state/vault-key.ts';
import { auditCommand } from './audit.ts';
import { doctorCommand } from './doctor.ts';
import { modulesCommand } from './modules.ts';
import { packCommand } from './pack.ts';
import { secretsCommand } from './secrets.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { tasksCommand } from './tasks.ts';
import { tokenCommand } from './token.ts';
import { tokensCommand } from './tokens.ts';
import { HostError, UserError } from './user-error.ts';
import { verifyCommand } from './verify.ts';

export const EXIT = { ok: 0, input: 1, usage: 2, platform: 3 } as const;

/** @example process.exitCode = await runCommandLine(['token', '--sub', 'alice']); */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('plexi')
    .description('Hosts PlexiChat modules written by people you do not trust.')
    .showHelpAfterError('(--help shows what is allowed)')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  for (const command of [
    serveCommand(),
    tokenCommand(),
    tokensCommand(),
    tasksCommand(),
    modulesCommand(),
    secretsCommand(),
    auditCommand(),
    packCommand(),
    signCommand(),
    verifyCommand(),
    doctorCommand(),
  ]) {
    for (const each of [command, ...command.commands]) each.copyInheritedSettings(program);
    program.addCommand(command);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error);
  }
}

const EXAMPLES = `
Examples:
  $ plexi serve --modules examples --config examples/plexi.yaml
  $ plexi token --sub alice --tier premium --permissions read,write
  $ plexi modules list
  $ plexi tasks list
  $ plexi pack examples/weather
  $ plexi doctor

Exit codes: 0 done, 1 your input, 2 wrong usage, 3 the platform failed.`;

const INPUT_ERRORS = [
  HostSettingsError,
  UserError,
  ListenError,
  DataFolderError,
  StateError,
  JailError,
  VaultKeyError,
] as const;

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (INPUT_ERRORS.some((kind) => error instanceof kind)) {
    say(error instanceof Error ? error.message : '');
    return EXIT.input;
  }
  if (error instanceof HostError) {
    say(error.message);
    return EXIT.platform;
  }
  say(`plexi failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.platform;
}

/** Boundary: paths and values of files are in these words, and some come with a clone; none of them steers the terminal. */
function say(message: string): void {
  process.stderr.write(`${message.split('\n').map(printable).join('\n')}\n`);
}
