/** Says what is wrong with a declaration that was refused, for a bounded amount of work. */
import { DescribeAnswerSchema } from '@plexichat/sdk/protocol/guest-api';
import { Compile } from 'typebox/compile';

const check = Compile(DescribeAnswerSchema);
const MAX_PARTS = 20_000;
const MAX_PATH_CHARACTERS = 200;

export function explainDeclaration(answer: unknown): string {
  // Boundary: a validator walks all that is wrong before it says the first of it, so what is huge is not shown to it.
  if (!isSmall(answer)) return `it has more than ${MAX_PARTS} parts`;
  const [first] = check.Errors(answer);
  return `${first?.instancePath.slice(0, MAX_PATH_CHARACTERS)} ${first?.message}`;
}

function isSmall(value: unknown): boolean {
  let left = MAX_PARTS;
  const walk = (part: unknown): boolean => {
    if (--left < 0) return false;
    if (typeof part !== 'object' || part === null) return true;
    return Array.isArray(part) && part.length > left ? false : Object.values(part).every(walk);
  };
  return walk(value);
}
