/** Asks the host that the flags mean, and prints its answer: as a person reads it, or as JSON. */
import type { TSchema } from 'typebox';
import { findHost, type HostFlags } from './host-access.ts';
import { askHost, type HostRequest } from './host-client.ts';

export type HostValue<Schema extends TSchema> = Awaited<ReturnType<typeof askHost<Schema>>>['value'];

/** @param besides permissions that the command's own token has besides those of operators */
export async function askAndShow<Schema extends TSchema>(
  flags: HostFlags,
  request: HostRequest<Schema>,
  show: (value: HostValue<Schema>) => string,
  besides: readonly string[] = [],
): Promise<void> {
  const { value, text } = await askHost(await findHost(flags, besides), request);
  const shown = show(value);
  process.stdout.write(flags.json === true ? `${safeJson(text)}\n` : shown);
}

const STEERING = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same JSON. Boundary: what steers a terminal can only stand inside of strings, and is written as an escape there. */
export function safeJson(text: string): string {
  return text.replace(STEERING, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`).trimEnd();
}
