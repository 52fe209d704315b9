/** `plexi modules enable|disable|start|stop|restart|remove|rollback|versions`: the lives of modules on a running host. */
import { Command } from 'commander';
import { askAndShow } from './ask-and-show.ts';
import type { HostFlags } from './host-access.ts';
import { InstalledSchema, RemovedSchema, VersionsSchema } from './life-answers.ts';
import { oneLine } from './lines.ts';
import { ModuleViewSchema } from './module-answers.ts';
import { modulePath } from './module-path.ts';
import { showInstalled, showState, showVersions } from './show-life.ts';

/** What runs is waited for, and a version that takes over has to boot first. */
const DEADLINE_MS = 120_000;

const SWITCHES = {
  enable: 'Let a module run again that was disabled.',
  disable: 'Keep a module from running, also after a restart of the host.',
  start: 'Start a module that was stopped, or parked after too many crashes.',
  stop: 'Stop a module until it is started, or the host is.',
  restart: 'Start a module anew; what it does is finished first.',
} as const;

export const LIFE_EXAMPLES = [
  '  $ plexi modules install weather-1.2.0.zip',
  '  $ plexi modules disable weather',
  '  $ plexi modules versions weather',
  '  $ plexi modules rollback weather 1.1.0',
  '  $ plexi modules remove weather',
] as const;

export function lifeCommands(): Command[] {
  const switches = Object.entries(SWITCHES).map(([what, description]) => switchCommand(what, description));
  return [...switches, versionsCommand(), rollbackCommand(), removeCommand()];
}

function switchCommand(what: string, description: string): Command {
  return moduleCommand(what, description, [`plexi modules ${what} weather`]).action(
    async (name: string, flags: HostFlags) => {
      const path = modulePath(name, `/${what}`);
      const request = { method: 'POST', path, deadlineMs: DEADLINE_MS, answer: ModuleViewSchema } as const;
      await askAndShow(flags, request, showState);
    },
  );
}

function versionsCommand(): Command {
  return moduleCommand('versions', 'Show which versions of a module are kept, and which is in force.', [
    'plexi modules versions weather',
  ]).action(async (name: string, flags: HostFlags) => {
    const request = { method: 'GET', path: modulePath(name, '/versions'), answer: VersionsSchema } as const;
    await askAndShow(flags, request, ({ versions }) => showVersions(versions, new Date()));
  });
}

function rollbackCommand(): Command {
  return moduleCommand('rollback', 'Go back to another version, with its grants and settings.', [
    'plexi modules rollback weather 1.1.0',
  ])
    .argument('<version>', 'as "plexi modules versions" shows it')
    .action(async (name: string, version: string, flags: HostFlags) => {
      const path = modulePath(name, '/rollback');
      const body = JSON.stringify({ version });
      const request = { method: 'POST', path, body, deadlineMs: DEADLINE_MS, answer: InstalledSchema } as const;
      await askAndShow(flags, request, showInstalled);
    });
}

function removeCommand(): Command {
  return moduleCommand('remove', 'Remove a module; its data is kept for 30 days.', [
    'plexi modules remove weather',
    'plexi modules remove weather --purge',
  ])
    .option('--purge', 'with all its data, at once and for good; also of one that was removed before')
    .action(async (name: string, { purge, ...flags }: HostFlags & { purge?: boolean }) => {
      const path = modulePath(name, purge === true ? '?purge=true' : '');
      const request = { method: 'DELETE', path, deadlineMs: DEADLINE_MS, answer: RemovedSchema } as const;
      await askAndShow(flags, request, ({ data_kept_until: until }) => {
        const data = until === null ? 'and so is its data' : `its data is kept until ${until.slice(0, 10)}`;
        return `${oneLine(`${name} is gone, ${data}.`)}\n`;
      });
    });
}

function moduleCommand(name: string, description: string, examples: readonly string[]): Command {
  const shown = examples.map((example) => `  $ ${example}`).join('\n');
  return new Command(name)
    .argument('<module>', 'the name of the module')
    .description(description)
    .addHelpText('after', `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${shown}`);
}
