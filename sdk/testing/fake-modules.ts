/** Other modules for tests: what `this.modules.call` reaches is the test's own functions. */
import type { CallRequest } from '../protocol/capabilities/modules.ts';
import { PlexiError } from '../protocol/errors.ts';

/** Module → method → what it does; as on the platform, it gets what went through JSON. */
export type FakeModules = Readonly<Record<string, Readonly<Record<string, (args: never) => unknown>>>>;

export async function callFakeModule(fakes: FakeModules, { module, method }: CallRequest, args: unknown) {
  const offered = Object.hasOwn(fakes, module) ? fakes[module] : undefined;
  if (offered === undefined) {
    const known = listOf(Object.keys(fakes));
    throw new PlexiError('NOT_FOUND', `No fake is called ${module}; fakes.modules has ${known}.`);
  }
  const run = Object.hasOwn(offered, method) ? offered[method] : undefined;
  if (run === undefined) {
    const known = listOf(Object.keys(offered));
    throw new PlexiError('NOT_FOUND', `The module ${module} offers no method "${method}"; it offers ${known}.`);
  }
  return throughJson((await run(throughJson(args) as never)) ?? null);
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
