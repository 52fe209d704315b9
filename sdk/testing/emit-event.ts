/** Tells a module under test of an event, as the host would: data goes through JSON, each handler hears of it once. */
import { explainData } from '../module/explain-json.ts';
import type { ModuleRunner } from '../module/runner.ts';
import { isEventName, isModuleEvent, matchesEvent } from '../protocol/event-names.ts';
import type { FakeEvents } from './fake-events.ts';

export interface HarnessEventOptions {
  /** Default: `chat-host`, and `other_module` for names that begin with `module.`. */
  readonly source?: string;
  /** Default: now. */
  readonly at?: Date;
}

export interface HarnessEvent {
  /** How many handlers were called. */
  readonly handlers: number;
  /** Of those that failed: which, and how. */
  readonly failures: readonly string[];
}

/** @throws TypeError when the name is none, or the data is not JSON */
export async function emitHarnessEvent(
  runner: ModuleRunner,
  { subscriptions }: FakeEvents,
  nextInvocation: () => number,
  name: string,
  data: unknown,
  { source = isModuleEvent(name) ? 'other_module' : 'chat-host', at = new Date() }: HarnessEventOptions,
): Promise<HarnessEvent> {
  if (!isEventName(name)) throw new TypeError(`harness.emit: ${JSON.stringify(name)} is no name, as in "user.login".`);
  const problem = explainData(data);
  if (problem !== undefined) throw new TypeError(`harness.emit("${name}"): the data is not JSON: ${problem}.`);
  const declared = runner.declaration.events.filter(({ pattern }) => matchesEvent(pattern, name));
  const subscribed = [...subscriptions].filter(([, pattern]) => matchesEvent(pattern, name));
  const handlers = [...new Set(declared.map(({ handler }) => handler)), ...subscribed.map(([number]) => number)];
  const id = `test-event-${nextInvocation()}`;
  const outcomes = await Promise.all(
    handlers.map((handler) =>
      runner.event(
        { invocation: nextInvocation(), handler, name, source, at: at.getTime(), id, deadline: Date.now() + 30_000 },
        JSON.parse(JSON.stringify(data)),
      ),
    ),
  );
  const failures = outcomes.flatMap((outcome) => (outcome.ok ? [] : outcome.message));
  return { handlers: handlers.length, failures };
}
