/** `plexi secrets`: sets the secret settings of modules on a running host. Values come from standard input, never as arguments. */
import { Command } from 'commander';
import { Type } from 'typebox';
import { isModuleName } from '../management/module-input.ts';
import { askAndShow } from './ask-and-show.ts';
import { type HostFlags, withHostOptions } from './host-access.ts';
import { RotatedSchema, SecretSetSchema, SecretsAnswerSchema, SecretViewSchema } from './module-answers.ts';
import { parseJsonOrNothing } from './parse-json.ts';
import { readRows } from './read-rows.ts';
import { readStandardInput } from './read-standard-input.ts';
import { showSecrets } from './show-modules.ts';
import { UserError } from './user-error.ts';
import { WHICH_HOST } from './which-host.ts';

export function secretsCommand(): Command {
  const secrets = new Command('secrets')
    .description('Set the secret settings of modules on a running host; they are stored encrypted and never shown.')
    .addHelpText('after', `\nExamples:\n${EXAMPLES.join('\n')}\n${WHICH_HOST}`);
  for (const command of [listCommand(), setCommand(), removeCommand(), rotateCommand()]) {
    secrets.addCommand(withHostOptions(command).addHelpText('after', WHICH_HOST));
  }
  return secrets;
}

const EXAMPLES = [
  '  $ plexi secrets list weather',
  '  $ plexi secrets set weather api_key < key.txt',
  '  $ plexi secrets remove weather api_key',
  '  $ plexi secrets rotate',
] as const;

const MAX_BYTES = 16 * 1024;

function example(index: number): string {
  return `\nExample:\n${EXAMPLES[index] ?? ''}`;
}

function listCommand(): Command {
  return new Command('list')
    .argument('<module>', 'the name of the module')
    .description('Show which secret settings a module has, and which are set.')
    .addHelpText('after', example(0))
    .action(async (module: string, flags: HostFlags) => {
      const request = { method: 'GET', path: pathOf(module), answer: SecretsAnswerSchema } as const;
      await askAndShow(flags, request, ({ secrets }) => {
        const { rows, note } = readRows('secrets', secrets, SecretViewSchema);
        return rows.length === 0 ? `${module} has no secret settings.\n` : showSecrets(rows, new Date()) + note;
      });
    });
}

function setCommand(): Command {
  return secretCommand('set')
    .description('Set a secret setting to what standard input holds; a line break at its end is not part of it.')
    .option('--as-json', 'the value is JSON: for settings that are no text')
    .addHelpText('after', example(1))
    .action(async (module: string, setting: string, { asJson, ...flags }: HostFlags & { asJson?: boolean }) => {
      const path = pathOf(module, setting);
      if (process.stdin.isTTY === true) process.stderr.write('The value, then Ctrl-D on a line of its own:\n');
      const value = await readValue(asJson === true);
      const request = { method: 'PUT', path, body: JSON.stringify({ value }), answer: SecretSetSchema } as const;
      await askAndShow(flags, request, () => `${setting} of ${module} is set.\n`);
    });
}

function removeCommand(): Command {
  return secretCommand('remove')
    .description('Remove a secret setting from the vault; what config.yaml or the environment says counts then.')
    .addHelpText('after', example(2))
    .action(async (module: string, setting: string, flags: HostFlags) => {
      const request = { method: 'DELETE', path: pathOf(module, setting), answer: Type.Undefined() } as const;
      await askAndShow(flags, request, () => `${setting} of ${module} is not in the vault any more.\n`);
    });
}

function rotateCommand(): Command {
  return new Command('rotate')
    .description('Make a new key for the vault, and encrypt everything with it.')
    .addHelpText('after', example(3))
    .action(async (flags: HostFlags) => {
      const request = { method: 'POST', path: '/api/v1/secrets/rotate', answer: RotatedSchema } as const;
      await askAndShow(flags, request, ({ sealed }) => `${sealed} secrets are encrypted with a new key.\n`);
    });
}

function secretCommand(name: string): Command {
  return new Command(name)
    .argument('<module>', 'the name of the module')
    .argument('<setting>', 'the name of the setting, such as api_key or smtp.password');
}

/** Boundary: no message of this command holds the value. */
async function readValue(isJson: boolean): Promise<unknown> {
  const tooLong = (): UserError => new UserError(`A secret may have at most ${MAX_BYTES} bytes.`);
  const text = (await readStandardInput(MAX_BYTES, tooLong)).replace(/\r?\n$/, '');
  if (text === '') throw new UserError('Standard input is empty: pipe the value into this command.');
  if (!isJson) return text;
  const value = parseJsonOrNothing(text);
  if (value === undefined) throw new UserError('--as-json: standard input is not JSON.');
  return value;
}

/** Boundary: names are steps of the path, so `..` and slashes never get that far. */
function pathOf(module: string, setting?: string): string {
  if (!isModuleName(module)) {
    throw new UserError(
      `${JSON.stringify(module)}: no module can have that name; "plexi modules list" shows those there are.`,
    );
  }
  if (setting === undefined) return `/api/v1/modules/${module}/secrets`;
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(setting)) {
    throw new UserError(
      `${JSON.stringify(setting)}: no secret setting can have that name; see "plexi secrets list ${module}".`,
    );
  }
  return `/api/v1/modules/${module}/secrets/${setting}`;
}
