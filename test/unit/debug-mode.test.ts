/** Who may say that a module is in debug mode: not its own config.yaml. */
import { expect, it } from 'vitest';
import { createDebugMode } from '../../runtime/modules/debug-mode.ts';

interface Words {
  readonly environment?: Record<string, string>;
  readonly diagnostics?: readonly string[];
  /** What an operator set. */
  readonly set?: Record<string, unknown>;
}

function open({ environment = {}, diagnostics = [], set = {} }: Words) {
  const refused: string[] = [];
  const read: unknown[] = [];
  const isInDebugMode = createDebugMode({
    environment,
    diagnostics,
    settings: {
      read: async (...asked) => {
        read.push(asked);
        return { settings: set, setAt: 1, setBy: 'olga' };
      },
    },
    onRefused: (module, message) => refused.push(`${module} ${message}`),
  });
  const ask = (debug: boolean, name = 'checkout') =>
    isInDebugMode({ module_name: name, module_version: '1.2.0', settings: { debug, log_level: 'INFO' } });
  return { ask, refused, read };
}

it('is not for the module itself to say, and one line tells its author what is missing', async () => {
  const { ask, refused, read } = open({});
  expect([await ask(true), await ask(true)]).toEqual([false, false]);
  expect(refused).toEqual([expect.stringMatching(/^checkout .* --set debug=true", or checkout under diagnostics/)]);
  expect(read[0]).toEqual(['checkout', '1.2.0']);
});

it.each<[string, Words]>([
  ['the environment', { environment: { PLEXI_MODULE__CHECKOUT__SETTINGS__DEBUG: 'true' } }],
  ['the environment, in another case', { environment: { PLEXI_MODULE__CHECKOUT__settings__debug: ' true ' } }],
  ['the settings of an operator', { set: { debug: true } }],
  ['diagnostics of the host', { diagnostics: ['other', 'checkout'] }],
])('is said by %s', async (_who, words) => {
  const { ask, refused } = open(words);
  expect([await ask(true), refused]).toEqual([true, []]);
});

it.each<[string, Words]>([
  ['of another module', { environment: { PLEXI_MODULE__CHECK__SETTINGS__DEBUG: 'true' }, diagnostics: ['check'] }],
  ['that it is not', { environment: { PLEXI_MODULE__CHECKOUT__SETTINGS__DEBUG: 'false' } }],
  ['of another setting', { environment: { PLEXI_MODULE__CHECKOUT__SETTINGS__DEBUG__X: 'true' } }],
  ['that is no yes', { set: { debug: 'true' } }],
])('is not said by a word %s', async (_what, words) => {
  expect(await open(words).ask(true)).toBe(false);
});

it('is off where the setting in force says so, whoever else names the module', async () => {
  const { ask, refused } = open({ diagnostics: ['checkout'], set: { debug: true } });
  expect([await ask(false), refused]).toEqual([false, []]);
});
