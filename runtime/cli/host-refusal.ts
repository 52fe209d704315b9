/** What a host's refusal looks like at a terminal: the problem's words, its code, and whose fault it is. */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { HostAccess } from './host-access.ts';
import { oneLine } from './lines.ts';
import { parseJsonOrNothing } from './parse-json.ts';
import { HostError, UserError } from './user-error.ts';

const ProblemSchema = Type.Object({
  detail: Type.String(),
  code: Type.String({ pattern: '^[A-Z_]{1,64}$' }),
  requestId: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), { maxItems: 100 })),
});
const check = Compile(ProblemSchema);

const MAX_WORDS = 2000;
const MAX_TEXT = 64 * 1024;

/** Boundary: every word of it may be a stranger's, so none of it steers the terminal. */
export function refusal(status: number, text: string, { url, refusedHint }: HostAccess): UserError | HostError {
  const problem = text.length > MAX_TEXT ? undefined : parseJsonOrNothing(text);
  if (!check.Check(problem)) {
    const message = `${url} answered with status ${status} and not as a host does; is --url right?`;
    return new HostError(message);
  }
  const lines = [`${words(problem.detail)} (${problem.code})`, ...issues(problem)];
  if (status === 401) lines.push(refusedHint);
  if (status >= 400 && status < 500) return new UserError(lines.join('\n'));
  if (problem.requestId !== undefined) lines.push(`Its log has more, under the request ${words(problem.requestId)}.`);
  return new HostError(lines.join('\n'));
}

function issues({ errors = [] }: Static<typeof ProblemSchema>): string[] {
  return errors.map(({ path, message }) => `    ${words(path)} ${words(message)}`);
}

function words(text: string): string {
  return oneLine(text.slice(0, MAX_WORDS));
}
