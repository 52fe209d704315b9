/** Calls between modules: only with `modules:call:NAME`, only what the other one offers. What is stamped on a call is ours. */
import { MODULES_METHODS } from '@plexichat/sdk/protocol/capabilities/modules';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';
import type { InvocationFacts } from './open-invocations.ts';
import type { PermissionGate } from './permission-gate.ts';

export interface ModuleCall {
  /** The module that calls. */
  readonly from: string;
  readonly to: string;
  readonly method: string;
  /** JSON that nobody has checked. */
  readonly args: unknown;
  /** What the call is part of, where that is known. */
  readonly within: InvocationFacts | undefined;
  /** Of the method's own invocation. */
  readonly depth: number;
  readonly timeoutMs: number | undefined;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface ModulePort {
  /** @returns JSON that was checked where the method has a schema. @throws PlexiError */
  call(call: ModuleCall): Promise<unknown>;
  /** Whether this host has it, in whatever state. */
  has(name: string): boolean;
  /** All that it has. */
  names(): readonly string[];
}

const checkCall = Compile(MODULES_METHODS.call.args);
const checkCancel = Compile(MODULES_METHODS.cancel.args);

export function createModulesCapability(port: ModulePort, gate: PermissionGate): Capability {
  return ({ module, signal, invocations }) => {
    const running = new Map<number, AbortController>();
    signal.addEventListener('abort', () => {
      for (const call of running.values()) call.abort();
    });
    return {
      async call(...args) {
        if (!checkCall.Check(args)) throw invalid(CALL_TAKES);
        const [{ id, module: to, method, within: named, timeoutMs }, given] = args;
        if (to === module) throw invalid(`modules.call: ${module} is this module itself; call the method directly.`);
        // Boundary: asked before anything is said about the other module, so that nobody learns what is installed.
        gate.require(module, { capability: 'modules', name: to }, `Calling ${to}.${method}`);
        if (!port.has(to)) throw notFound(to, callable(module));
        if (running.has(id)) throw invalid(`modules.call: the call ${id} is under way already.`);
        // A number that is not open counts as none: fewer powers, and the depth of whatever is open.
        const within = invocations?.find(named);
        const depth = (within === undefined ? (invocations?.deepest ?? 0) : (within.depth ?? 0)) + 1;
        const abort = new AbortController();
        running.set(id, abort);
        try {
          const call = { from: module, to, method, args: given, within, depth, timeoutMs };
          return await port.call({ ...call, signal: abort.signal });
        } finally {
          running.delete(id);
        }
      },
      cancel(...args) {
        if (!checkCancel.Check(args)) throw invalid('modules.cancel takes the number of a call.');
        running.get(args[0])?.abort();
      },
    };
  };

  function callable(module: string): string {
    const known = port.names().slice(0, MAX_LOOKED_AT);
    const names = known.filter((name) => name !== module && gate.holds(module, { capability: 'modules', name }));
    return names.length === 0 ? 'none' : names.join(', ');
  }
}

const MAX_LOOKED_AT = 100;
const CALL_TAKES =
  'modules.call takes { id, module, method, within?, timeoutMs? } and the arguments: two names and whole numbers from 1.';

function notFound(name: string, known: string): PlexiError {
  return new PlexiError('NOT_FOUND', `There is no module "${name}"; of those that it may call there are ${known}.`);
}

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
