/** `plexi modules settings`: shows the settings of a module on a running host, and changes them. */
import { Command } from 'commander';
import { isModuleName } from '../management/module-input.ts';
import { askAndShow } from './ask-and-show.ts';
import { findHost, type HostFlags } from './host-access.ts';
import { askHost } from './host-client.ts';
import { ChangedSettingsSchema, SettingsAnswerSchema } from './settings-answers.ts';
import { readPatch } from './settings-patch.ts';
import { showChange, showSettings } from './show-settings.ts';
import { UserError } from './user-error.ts';

interface SettingsFlags extends HostFlags {
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

const EXAMPLES = `
Examples:
  $ plexi modules settings weather
  $ plexi modules settings weather --set days=7 --set smtp.port=587
  $ plexi modules settings weather --unset days`;

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

export function settingsCommand(): Command {
  return new Command('settings')
    .argument('<module>', 'the name of the module')
    .description('Show the settings of a module and where each comes from, and change them while it runs.')
    .option('--set <name=value>', 'change a setting; again for more', collect, [])
    .option('--unset <name>', 'go back to what config.yaml says, or the default; again for more', collect, [])
    .addHelpText('after', EXAMPLES)
    .action(async (module: string, { set, unset, ...flags }: SettingsFlags) => {
      const path = pathOf(module);
      const view = { method: 'GET', path, answer: SettingsAnswerSchema } as const;
      if (set.length === 0 && unset.length === 0) return askAndShow(flags, view, showSettings);
      const { value } = await askHost(await findHost(flags), view);
      const body = JSON.stringify({ values: readPatch(module, value.schema, set, unset) });
      const request = { method: 'PUT', path, body, answer: ChangedSettingsSchema } as const;
      await askAndShow(flags, request, showChange);
    });
}

/** Boundary: a name is a step of the path, so `..` and slashes never get that far. */
function pathOf(module: string): string {
  if (isModuleName(module)) return `/api/v1/modules/${module}/settings`;
  throw new UserError(
    `${JSON.stringify(module)}: no module can have that name; "plexi modules list" shows those there are.`,
  );
}
