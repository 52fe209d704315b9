/** `plexi modules`: what is installed on a running host, how it is, and what it may do. */
import { Command } from 'commander';
import { isModuleName } from '../management/module-input.ts';
import { askAndShow } from './ask-and-show.ts';
import { findHost, type HostFlags, withHostOptions } from './host-access.ts';
import { askHost } from './host-client.ts';
import { installCommand } from './install.ts';
import { LIFE_EXAMPLES, lifeCommands } from './life-commands.ts';
import { oneLine } from './lines.ts';
import { logsCommand } from './logs.ts';
import { BrokenSchema, ModulesAnswerSchema, ModuleViewSchema } from './module-answers.ts';
import { readRows } from './read-rows.ts';
import { settingsCommand } from './settings.ts';
import { showModules, showPermissions } from './show-modules.ts';
import { UserError } from './user-error.ts';
import { WHICH_HOST } from './which-host.ts';

export function modulesCommand(): Command {
  const modules = new Command('modules')
    .description('See the modules of a running host, and say what they may do.')
    .addHelpText('after', `\nExamples:\n${[...EXAMPLES, ...LIFE_EXAMPLES].join('\n')}\n${WHICH_HOST}`);
  for (const command of [
    listCommand(),
    showCommand(),
    grantCommand(),
    revokeCommand(),
    installCommand(),
    ...lifeCommands(),
    settingsCommand(),
    logsCommand(),
  ]) {
    modules.addCommand(withHostOptions(command).addHelpText('after', WHICH_HOST));
  }
  return modules;
}

const EXAMPLES = [
  '  $ plexi modules list',
  '  $ plexi modules show weather',
  '  $ plexi modules grant weather http:api.example.com',
  '  $ plexi modules grant weather --all',
  '  $ plexi modules revoke weather http:api.example.com',
] as const;

function example(...indexes: number[]): string {
  return `\nExample:\n${indexes.map((index) => EXAMPLES[index] ?? '').join('\n')}`;
}

function listCommand(): Command {
  return new Command('list')
    .description('Show the modules, their states and why they are in them.')
    .addHelpText('after', example(0))
    .action(async (flags: HostFlags) => {
      const request = { method: 'GET', path: '/api/v1/modules', answer: ModulesAnswerSchema } as const;
      await askAndShow(flags, request, ({ modules, broken = [] }) => {
        const { rows, note } = readRows('modules', modules, ModuleViewSchema);
        const lost = readRows('broken', broken, BrokenSchema).rows.map(
          ({ name, reasons }) => `${oneLine(name)} cannot be read: ${oneLine(reasons.join(' '))}\n`,
        );
        const shown = rows.length > 0 ? showModules(rows) : 'This host has no modules.\n';
        return shown + note + lost.join('');
      });
    });
}

function showCommand(): Command {
  return moduleCommand('show')
    .description('Show what a module asks for, in plain words, and what it was granted.')
    .addHelpText('after', example(1))
    .action(async (name: string, flags: HostFlags) => {
      const request = { method: 'GET', path: pathOf(name), answer: ModuleViewSchema } as const;
      await askAndShow(flags, request, showPermissions);
    });
}

function grantCommand(): Command {
  return moduleCommand('grant')
    .description('Grant permissions that a module asks for; one that waited for them is loaded.')
    .argument('[permission...]', 'as "plexi modules show" prints them')
    .option('--all', 'everything that the module asks for')
    .addHelpText('after', example(2, 3))
    .action(async (name: string, permissions: readonly string[], { all, ...flags }: HostFlags & { all?: boolean }) => {
      const wanted = await wantedOf(name, permissions, all === true, flags);
      await change(name, { permissions: wanted }, flags);
    });
}

function revokeCommand(): Command {
  return moduleCommand('revoke')
    .description('Take permissions back; the next call that needs one is refused.')
    .argument('<permission...>', 'as "plexi modules show" prints them')
    .addHelpText('after', example(4))
    .action(async (name: string, permissions: readonly string[], flags: HostFlags) => {
      await change(name, { revoke: permissions }, flags);
    });
}

function moduleCommand(name: string): Command {
  return new Command(name).argument('<module>', 'the name of the module');
}

async function change(name: string, body: object, flags: HostFlags): Promise<void> {
  const path = `${pathOf(name)}/grant`;
  const request = { method: 'POST', path, body: JSON.stringify(body), answer: ModuleViewSchema } as const;
  await askAndShow(flags, request, showPermissions);
}

/** Nothing is granted that was not named, or asked for by --all. */
async function wantedOf(
  name: string,
  named: readonly string[],
  isAll: boolean,
  flags: HostFlags,
): Promise<readonly string[]> {
  if (named.length > 0 && !isAll) return named;
  if (named.length > 0) throw new UserError('Name permissions, or give --all, not both.');
  const { value } = await askHost(await findHost(flags), {
    method: 'GET',
    path: pathOf(name),
    answer: ModuleViewSchema,
  });
  const open = value.permissions.asked.filter(({ granted }) => !granted).map(({ permission }) => permission);
  if (isAll && open.length > 0) return open;
  const next =
    open.length === 0
      ? `${name} has all that it asks for.`
      : `Nothing was granted. Name what you grant, or give --all: plexi modules grant ${name} ${oneLine(open.join(' '))}`;
  throw new UserError(`${showPermissions(value)}\n${next}`);
}

/** Boundary: a name is a step of the path, so `..` and slashes never get that far. */
function pathOf(name: string): string {
  if (isModuleName(name)) return `/api/v1/modules/${name}`;
  throw new UserError(
    `${JSON.stringify(name)}: no module can have that name; "plexi modules list" shows those there are.`,
  );
}
