/**
 * The signal of a context, and which invocation it is of: what is called with it is part of that invocation. The host
 * holds the number against what is open in this very thread, so nothing is won by inventing one.
 */
const invocations = new WeakMap<AbortSignal, number>();

/** @param isCancelled the host wanted the invocation to end before anybody asked for the signal */
export function openSignal(invocation: number, isCancelled: boolean): AbortController {
  const controller = new AbortController();
  invocations.set(controller.signal, invocation);
  if (isCancelled) controller.abort();
  return controller;
}

/** Undefined for any other signal: one that was made of this one with AbortSignal.any, for example. */
export function invocationOf(signal: AbortSignal | undefined): number | undefined {
  return signal === undefined ? undefined : invocations.get(signal);
}
