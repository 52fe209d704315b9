/** The guest's side of `securityLog`. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import { explainData, explainJson } from '../module/explain-json.ts';
import type { HostBinding } from '../module/host-binding.ts';
import { messageOf } from '../module/outcome.ts';
import type { SecurityReport } from '../protocol/capabilities/security-log.ts';
import { MAX_SECURITY_DETAILS } from '../protocol/security-limits.ts';

export type SecurityDetails = Readonly<Record<string, unknown>>;

const { stringify } = JSON;
const NAME = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;
const MAX_NAME = 64;

/** @throws TypeError, and what the host refuses as the class that an author catches */
export async function logSecurityEventBy(host: HostBinding, name: string, details: SecurityDetails): Promise<void> {
  if (typeof name !== 'string' || name.length > MAX_NAME || !NAME.test(name)) {
    throw new TypeError(
      `logSecurityEvent: the name must look like login.failed (a-z, 0-9, "_" and ".", at most ${MAX_NAME} characters), found ${describeValue(name)}.`,
    );
  }
  const report: SecurityReport = { name, details: toText(name, details) };
  try {
    await host.call('securityLog', 'write', [report]);
  } catch (error) {
    throw toAuthorError(error);
  }
}

function toText(name: string, details: unknown): string {
  const refuse = (problem: string): never => {
    throw new TypeError(`logSecurityEvent("${name}"): the details ${problem}`);
  };
  if (typeof details !== 'object' || details === null) {
    return refuse(`must be an object such as { userId }, found ${describeValue(details)}.`);
  }
  let text: string | undefined;
  try {
    text = stringify(details);
  } catch (error) {
    return refuse(`are not JSON: ${explainJson(details) ?? messageOf(error)}.`);
  }
  if (text === undefined) return refuse(`are not JSON: ${explainData(details) ?? 'their toJSON gives nothing'}.`);
  if (text.length <= MAX_SECURITY_DETAILS) return text;
  return refuse(`have ${text.length} characters as JSON, at most ${MAX_SECURITY_DETAILS} are allowed.`);
}
