/** Breakpoints of modules in debug mode. In every other module one is passed without a stop, whatever it says. */
import { DEBUG_METHODS } from '@plexichat/sdk/protocol/capabilities/debug';
import { MAX_BREAKPOINT_MS, MAX_DEBUG_LABEL, MAX_DEBUG_VALUE } from '@plexichat/sdk/protocol/debug-limits';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Compile } from 'typebox/compile';
import type { BreakpointStop } from './breakpoints.ts';
import type { Capability } from './capability.ts';

export interface DebugPort {
  /** By the host's own copy of its settings, and who gave them. @throws PlexiError STATE_UNAVAILABLE */
  isInDebugMode(module: string): boolean | Promise<boolean>;
  /** @throws PlexiError QUOTA_EXCEEDED */
  stop(stop: BreakpointStop): Promise<void>;
}

const checkBreakpoint = Compile(DEBUG_METHODS.breakpoint.args);

export function createDebugCapability(port: DebugPort): Capability {
  return ({ module, signal, invocations }) => ({
    async breakpoint(...args) {
      if (!checkBreakpoint.Check(args)) throw invalid();
      const [{ label, within }, locals] = args;
      // One that names no invocation may belong to any: it ends with the first.
      const deadline = invocations?.find(within)?.deadline ?? invocations?.firstDeadline ?? Number.POSITIVE_INFINITY;
      const until = Math.min(Date.now() + MAX_BREAKPOINT_MS, deadline);
      if (!(await port.isInDebugMode(module))) return;
      // Undefined has no text, and may come from the bridge.
      const text: string | undefined = JSON.stringify(locals);
      if (text === undefined || text.length > MAX_DEBUG_VALUE) throw invalid();
      await port.stop({ module, label, locals: text, until, signal });
    },
  });
}

function invalid(): PlexiError {
  return new PlexiError(
    'INVALID_CALL',
    `debug.breakpoint takes { label, within? } and a JSON value: a label of 1 to ${MAX_DEBUG_LABEL} characters, and at most ${MAX_DEBUG_VALUE} characters of JSON.`,
  );
}
