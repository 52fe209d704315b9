import {
  EVENT_NAME_PATTERN,
  EVENT_PATTERN_PATTERN,
  isEventName,
  isEventPattern,
  isModuleEvent,
  matchesEvent,
} from '@plexichat/sdk/protocol/event-names';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { covers } from '../../runtime/capabilities/permission-cover.ts';
import { EventIndex } from '../../runtime/events/event-index.ts';

const NAME = new RegExp(EVENT_NAME_PATTERN);
const PATTERN = new RegExp(EVENT_PATTERN_PATTERN);
const firstWord = fc.stringMatching(/^[a-z][a-z0-9_]{0,4}$/);
const laterWord = fc.stringMatching(/^[a-z0-9_]{1,4}$/);
const names = fc
  .tuple(firstWord, fc.array(laterWord, { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join('.'));
const patterns = fc
  .tuple(firstWord, fc.array(fc.oneof(laterWord, fc.constant('*')), { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join('.'));
/** So few words that names and patterns often meet. */
const word = fc.constantFrom('a', 'b');
const closeNames = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
const closePatterns = fc
  .tuple(word, fc.array(fc.oneof(word, fc.constant('*')), { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join('.'));

describe('a pattern', () => {
  it.each([
    ['message.*', 'message.sent', true],
    ['message.*', 'message', false],
    ['message.*', 'message.sent.late', false],
    ['message.*.late', 'message.sent.late', true],
    ['message.*', 'messages.sent', false],
    ['user.login', 'user.login', true],
    ['user.login', 'user.logins', false],
    ['a.*.*', 'a.b.c', true],
  ])('%s for %s: %s', (pattern, name, fits) => {
    expect(matchesEvent(pattern, name)).toBe(fits);
  });

  it('is what a regular expression of one word for each star says', () => {
    fc.assert(
      fc.property(closePatterns, closeNames, (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[a-z0-9_]+')}$`);
        return matchesEvent(pattern, name) === expression.test(name);
      }),
    );
  });

  it('fits itself, and every name is a pattern that fits nothing else', () => {
    fc.assert(
      fc.property(
        names,
        names,
        (name, other) => isEventPattern(name) && matchesEvent(name, other) === (name === other),
      ),
    );
  });

  it('reaches exactly as far as the permission of that name', () => {
    const permission = (pattern: string) => {
      const read = parsePermission(`events:subscribe:${pattern}`);
      if (!read.ok) throw new Error(read.message);
      return read.permission;
    };
    fc.assert(
      fc.property(
        closePatterns,
        closeNames,
        (pattern, name) => matchesEvent(pattern, name) === covers(permission(pattern), permission(name)),
      ),
    );
  });

  it('is read alike by the checks and by the schemas', () => {
    fc.assert(
      fc.property(fc.oneof(names, patterns, fc.string(), fc.string({ unit: 'binary' })), (text) => {
        expect(isEventName(text)).toBe(text.length <= 128 && NAME.test(text));
        expect(isEventPattern(text)).toBe(text.length <= 128 && PATTERN.test(text));
      }),
    );
  });

  it.each([
    '',
    '*',
    '*.login',
    'User.login',
    'user..login',
    '.user',
    'user.',
    'user.*x',
    'user.lo gin',
    'user.login\n',
    'a'.repeat(129),
    null,
    7,
    {},
  ])('is not %j', (text) => {
    expect([isEventName(text), isEventPattern(text)]).toEqual([false, false]);
  });

  it('of modules begins with their word, and no star stands for it', () => {
    expect(['module.a', 'module.*'].map(isModuleEvent)).toEqual([true, true]);
    expect(['module', 'modules.a', 'user.module.a'].map(isModuleEvent)).toEqual([false, false, false]);
    fc.assert(
      fc.property(
        patterns,
        names,
        (pattern, name) => !matchesEvent(pattern, name) || isModuleEvent(pattern) === isModuleEvent(name),
      ),
    );
  });
});

describe('the index of subscribers', () => {
  it('finds whom a look at each of them would find, each once, whatever was removed before', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(4), closePatterns), { maxLength: 40 });
    fc.assert(
      fc.property(steps, closeNames, (changes, name) => {
        const index = new EventIndex<{ id: number }>();
        const subscribers = Array.from({ length: 5 }, (_each, id) => ({ id, patterns: new Set<string>() }));
        for (const [isAdded, id, pattern] of changes) {
          const subscriber = subscribers[id];
          if (subscriber === undefined) continue;
          if (isAdded) subscriber.patterns.add(pattern);
          else subscriber.patterns.delete(pattern);
          index[isAdded ? 'add' : 'remove'](pattern, subscriber);
        }
        const wanted = subscribers.filter((one) => [...one.patterns].some((pattern) => matchesEvent(pattern, name)));
        expect([...index.find(name)].map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id));
      }),
    );
  });
});
