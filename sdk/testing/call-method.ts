/** Calls a method of a module under test as another module would, with the host's checks around it. */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { ModuleRunner } from '../module/runner.ts';
import { PlexiError } from '../protocol/errors.ts';
import type { Caller } from '../protocol/invocation.ts';

export interface HarnessCaller {
  /** The module that calls. Default: `test_caller`. */
  readonly module?: string;
  /** For whom. Default: nobody. */
  readonly user?: Caller | null;
}

/** @throws PlexiError with the code that the calling module would get */
export async function callHarnessMethod(
  runner: ModuleRunner,
  name: string,
  args: unknown,
  invocation: number,
  { module = 'test_caller', user = null }: HarnessCaller,
): Promise<unknown> {
  const methods = runner.declaration.methods ?? [];
  const method = methods.find((one) => one.name === name);
  if (method === undefined) {
    const known = methods.length === 0 ? 'none' : methods.map((one) => one.name).join(', ');
    throw new PlexiError('NOT_FOUND', `The module offers no method "${name}"; it offers ${known}.`);
  }
  const given: unknown = JSON.parse(JSON.stringify(args ?? null));
  check(method.schemas.params as TSchema | undefined, given, 'INVALID_INPUT', `${name} is given`);
  const request = { invocation, method: name, caller: { module }, user, deadline: Date.now() + 30_000 };
  const outcome = await runner.callMethod(request, given);
  if (!outcome.ok) throw new PlexiError(outcome.code, outcome.message);
  const result: unknown = JSON.parse(outcome.body.text);
  check(method.schemas.result as TSchema | undefined, result, 'INVALID_MODULE_RESPONSE', `${name} returned`);
  return result;
}

function check(
  schema: TSchema | undefined,
  value: unknown,
  code: 'INVALID_INPUT' | 'INVALID_MODULE_RESPONSE',
  what: string,
): void {
  if (schema === undefined || Value.Check(schema, value)) return;
  const [first] = Value.Errors(schema, value);
  throw new PlexiError(code, `${what} a value that is not valid at ${first?.instancePath || '/'}: ${first?.message}.`);
}
