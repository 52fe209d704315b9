/** A task's options as its declaration. What an author may have got wrong is refused here, with what is allowed. */
import type { TaskDeclaration } from '../protocol/declaration.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { describeValue } from './describe-value.ts';
import type { TaskOptions } from './records.ts';

interface OptionRule {
  readonly fits: (value: unknown) => boolean;
  readonly allowed: string;
}

const oneOf = (...words: readonly string[]): OptionRule => ({
  fits: (value) => typeof value === 'string' && words.includes(value),
  allowed: words.map((word) => `"${word}"`).join(', '),
});

const RULES: Readonly<Record<keyof TaskOptions, OptionRule>> = {
  schedule: {
    fits: (value) => value === false || isCronLike(value),
    allowed: 'cron with 5 or 6 fields such as "0 2 * * *", or false for a task that runs only when it is asked for',
  },
  timezone: {
    fits: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 64,
    allowed: 'the name of an IANA time zone, such as "Europe/Berlin"',
  },
  retryCount: {
    fits: (value) => Number.isInteger(value) && isBetween(value, 0, 100),
    allowed: 'a whole number from 0 to 100',
  },
  timeout: {
    fits: (value) => value !== 0 && isBetween(value, 0, 86_400),
    allowed: 'a number of seconds above 0, at most 86400',
  },
  priority: oneOf('high', 'normal', 'low'),
  overlap: oneOf('skip', 'queue', 'parallel'),
  missed: oneOf('run-once', 'skip'),
};

/**
 * @param name `WeatherModule.refresh`, for messages
 * @throws TypeError that names class, method, option, what was found and what is allowed
 */
export function declareTask(task: string, options: TaskOptions, manifest: Manifest, name: string): TaskDeclaration {
  checkOptions(options, name);
  const { schedule = manifest.tasks?.schedule, timezone, retryCount = 0, timeout = 300 } = options;
  const { priority = 'normal', overlap = 'skip', missed = 'skip' } = options;
  return {
    name: task,
    ...(schedule === undefined || schedule === false ? {} : { schedule }),
    ...(timezone === undefined ? {} : { timezone }),
    retryCount,
    timeout,
    priority,
    overlap,
    missed,
  };
}

function checkOptions(options: unknown, name: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `${name}: @moduleTask takes an object such as { schedule: "0 2 * * *" }, found ${describeValue(options)}.`,
    );
  }
  for (const [key, value] of Object.entries(options)) {
    if (!isOption(key)) {
      throw new TypeError(`${name}: @moduleTask has no option "${key}"; allowed are ${Object.keys(RULES).join(', ')}.`);
    }
    const { fits, allowed } = RULES[key];
    if (value === undefined || fits(value)) continue;
    throw new TypeError(`${name}: @moduleTask: ${key} is ${describeValue(value)}; allowed is ${allowed}.`);
  }
}

function isOption(key: string): key is keyof TaskOptions {
  return Object.hasOwn(RULES, key);
}

/** The host reads it as cron; here it only has to look like it. */
function isCronLike(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 100) return false;
  const fields = value.trim().split(/\s+/).length;
  return fields === 5 || fields === 6;
}

function isBetween(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && value >= low && value <= high;
}
