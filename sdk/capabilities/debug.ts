/** The guest's side of `debug`: in debug mode a module shows its state and stops for the operator; else it costs nothing. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import { invocationOf } from '../module/invocation-signal.ts';
import { snapshot } from '../module/snapshot.ts';
import type { BreakpointRequest } from '../protocol/capabilities/debug.ts';
import { MAX_DEBUG_LABEL, MAX_DEBUG_VALUE } from '../protocol/debug-limits.ts';

export interface DebugClient {
  /** What the setting `debug` says. The host stops the module only when an operator has said so. */
  readonly enabled: boolean;
  /**
   * Writes a value to the module's log, whatever it is. A function is called for the value, and only in debug mode.
   * @throws TypeError when the label is no text, or longer than 100 characters
   * @example
   * this.debug.logState('cart', () => ({ items: cart.items.length, total: cart.total() }));
   */
  logState(label: string, value: unknown): void;
  /**
   * Shows values to the operators (`GET /api/v1/debug/breakpoints`) and waits until one of them resumes it, at most 60
   * seconds and never past the deadline of the invocation. A function is called for the values, and only in debug mode.
   * With the signal of the handler's context the wait ends with that handler.
   * @throws TypeError as logState does; never for want of an operator
   * @example
   * await this.debug.breakpoint('before the payment', { cart, user }, { signal });
   */
  breakpoint(label: string, locals: unknown, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

const { stringify } = JSON;

/** @param enabled as the guest's own config says; the host looks at its own */
export function createDebugClient(enabled: boolean, host: HostBinding): DebugClient {
  if (!enabled) return Object.freeze({ enabled, logState() {}, async breakpoint() {} });
  return Object.freeze({
    enabled,
    logState(label: string, value: unknown): void {
      checkLabel('logState', label);
      host.log('info', `State: ${label}`, { state: show(value) });
    },
    async breakpoint(label: string, locals: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
      checkLabel('breakpoint', label);
      const within = invocationOf(options.signal);
      const request: BreakpointRequest = { label, ...(within === undefined ? {} : { within }) };
      try {
        await host.call('debug', 'breakpoint', [request, show(locals)]);
      } catch (error) {
        // A module that is being looked at goes on when it cannot be looked at.
        host.log('warn', `The breakpoint ${label} did not stop: ${messageOf(error)}`);
      }
    },
  });
}

function show(value: unknown): unknown {
  const shown = snapshot(typeof value === 'function' ? ask(value as () => unknown) : value);
  return stringify(shown).length > MAX_DEBUG_VALUE ? `${stringify(shown).slice(0, MAX_DEBUG_VALUE / 4)}…` : shown;
}

function ask(give: () => unknown): unknown {
  try {
    return give();
  } catch (error) {
    return error;
  }
}

function messageOf(error: unknown): string {
  const known = toAuthorError(error);
  return known instanceof Error ? known.message : 'the host refused it';
}

function checkLabel(method: string, label: unknown): void {
  if (typeof label === 'string' && label.length >= 1 && label.length <= MAX_DEBUG_LABEL) return;
  throw new TypeError(
    `debug.${method}: the label must be a text of 1 to ${MAX_DEBUG_LABEL} characters, found ${describeValue(label)}.`,
  );
}
