/** Whether an invocation that was lost with its thread may be run once more: the half of it that is not the module's state. */
import type { EndpointRequest } from '@plexichat/sdk/protocol/invocation';
import { InstanceGone } from '../cells/instance.ts';
import type { InvokeOptions } from './served-module.ts';

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function mayRunAgain(
  error: unknown,
  { method, deadline }: Pick<EndpointRequest, 'method' | 'deadline'>,
  { body, signal }: InvokeOptions,
): boolean {
  return (
    error instanceof InstanceGone &&
    !error.likelyCause &&
    IDEMPOTENT.has(method) &&
    body.kind !== 'stream' &&
    signal?.aborted !== true &&
    Date.now() < deadline
  );
}
