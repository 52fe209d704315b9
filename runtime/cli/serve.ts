/** `plexi serve`: runs the host until it is told to stop, and says on the terminal what it serves. */
import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { startHost } from '../compose.ts';
import { loadHostSettings } from '../config/load-host-settings.ts';
import { printOrigins } from '../config/origins.ts';
import { createLog, type Logger } from '../observability/log.ts';
import { grantAccess } from './grant-access.ts';
import { removeHostFile, writeHostFile } from './host-file.ts';
import { DEFAULT_CONFIG, settingsFile } from './settings-file.ts';
import { UserError } from './user-error.ts';
import { accessFor, welcome } from './welcome.ts';

interface ServeFlags {
  readonly modules?: string;
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly config?: string;
  readonly redis?: string;
  readonly queue?: string;
  readonly logLevel?: string;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

/** A second signal, or this long after the first, and the process ends at once. */
const STOP_MS = 30_000;

const PRECEDENCE = `
Flags win over PLEXI_* variables, these over the file, the file over the defaults.
A URL with a password in it goes into PLEXI_REDIS, PLEXI_QUEUE or the file: every user
of this machine can read the flags of a process.`;

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve a folder of modules.')
    .option('--modules <folder>', 'the folder of module folders (default: ./modules)')
    .option('--port <number>', 'the port to listen on; 0 takes a free one (default: 8080)')
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
    .option('--data <folder>', "the host's own data (default: .plexi)")
    .option('--config <file>', `the host's settings (default: ${DEFAULT_CONFIG}, if there is one)`)
    .option(
      '--redis <url>',
      'keep the task queue on Redis: redis://host:6379/0, or rediss:// for TLS (default: embedded)',
    )
    .option('--queue <url>', 'keep the task queue on PostgreSQL: postgres://user@host/database (default: embedded)')
    .addOption(new Option('--log-level <level>', 'the least important messages to log (default: info)'))
    .option('--print-config', 'show each setting and where it came from, and end')
    .option('--json', 'log JSON lines, also on a terminal')
    .addHelpText(
      'after',
      `${PRECEDENCE}\n\nExamples:\n  $ plexi serve --modules ./modules --port 8080\n  $ plexi serve --redis redis://127.0.0.1:6379`,
    )
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const { modules, port, host, data, redis, queue, logLevel: log_level } = flags;
  const file = settingsFile(flags.config);
  const { settings, origins } = loadHostSettings({
    flags: { modules, port, host, data, redis, queue, log_level },
    environment: process.env,
    file,
  });
  if (flags.printConfig === true) {
    process.stdout.write(flags.json === true ? `${JSON.stringify(origins, null, 2)}\n` : printOrigins(origins));
    return;
  }
  if (!existsSync(settings.modules)) {
    throw new UserError(`There is no folder ${settings.modules}; name the folder of your modules with --modules.`);
  }
  const isTerminal = process.stdout.isTTY === true;
  const readable = isTerminal && flags.json !== true;
  const log = createLog({ level: settings.log_level, readable });
  const stopped = whenToldToStop(log);
  const running = await startHost({ settings, environment: process.env, settingsFile: file, log });
  await writeHostFile(settings.data, running.url).catch((error: unknown) =>
    log.warn({ err: error }, 'host.json could not be written; commands such as "plexi tasks" need --url and --token'),
  );
  log.info(`listening on ${running.url}; loading modules from ${settings.modules}`);
  await Promise.race([running.loaded, stopped]);
  if (flags.json !== true) {
    const access = await grantAccess(accessFor(isTerminal, process.env.NODE_ENV), running, settings);
    process.stdout.write(welcome(running, access, settings.data));
  }
  const signal = await stopped;
  log.info(`${signal}: finishing what runs, then ending`);
  setTimeout(() => process.exit(1), STOP_MS + settings.tasks.grace_seconds * 1000).unref();
  // Before the door closes: nobody is sent to a host that is about to end.
  await removeHostFile(settings.data).catch((error: unknown) =>
    log.warn({ err: error }, 'host.json could not be removed'),
  );
  await running.close();
  log.info('ended');
}

/** Also a fault of ours: a lost promise is logged and harms nobody else, an error that nothing caught ends the host in order. */
function whenToldToStop(log: Logger): Promise<string> {
  return new Promise((resolve) => {
    let told = false;
    const stop = (why: string): void => {
      if (told) process.exit(1);
      told = true;
      resolve(why);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal));
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise of the host was left rejected'));
    process.on('uncaughtException', (error) => {
      log.fatal({ err: error }, 'an error of the host was not caught');
      process.exitCode = 3;
      stop('fault');
    });
  });
}
