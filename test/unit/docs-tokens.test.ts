/** What the page about tokens says is what the code does. */
import { describe, expect, it } from 'vitest';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { DEFAULT_LIFETIME, MAX_LIFETIME, MAX_TOKENS } from '../../runtime/management/token-input.ts';
import { blocksOf, tableOf, textOf } from '../support/pages.ts';
import { plexi } from '../support/plexi.ts';

const PAGE = 'runtime/docs/tokens.md';
const DAY = 86_400;

it('every setting of failed logins is there, with its default', () => {
  const { properties } = HostSettingsSchema.properties.auth.properties.failed_logins;
  const defaults = Object.entries(properties).map(([key, schema]) => [
    `\`auth.failed_logins.${key}\``,
    `\`${(schema as { readonly default?: number }).default}\``,
  ]);
  expect(tableOf(PAGE, 'key').map((row) => row.slice(0, 2))).toEqual(defaults);
});

it('lifetimes and pages are as long as it says', () => {
  const [, lifetime = '', byDefault = ''] = tableOf(PAGE, 'value').find(([name]) => name === '`lifetime`') ?? [];
  expect(lifetime).toContain(
    `at most ${MAX_LIFETIME.token / DAY} days, an API key at most ${MAX_LIFETIME.api_key / DAY}`,
  );
  expect(byDefault).toBe(`${DEFAULT_LIFETIME.token / 3600} hours, an API key ${DEFAULT_LIFETIME.api_key / DAY} days`);
  expect(textOf(PAGE)).toContain(`up to ${MAX_TOKENS} `);
});

describe('commands to copy', () => {
  const commands = blocksOf(PAGE, 'sh')
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => /^plexi (tokens .*)$/.exec(line)?.slice(1, 2) ?? []);

  it('are there', () => {
    expect(commands).toHaveLength(4);
  });

  it.each(commands)('plexi %s exists', async (command) => {
    const { code, output } = await plexi(...command.split(' ').slice(0, 2), '--help');
    expect(code).toBe(0);
    for (const flag of command.match(/--[a-z-]+/g) ?? []) expect(output).toContain(flag);
  });
});
