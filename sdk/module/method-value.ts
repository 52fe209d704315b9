/** A value that goes from one module to another, as JSON text: or what keeps it from crossing. */
import { structureCost } from '../protocol/json-cost.ts';
import { MAX_METHOD_COST, MAX_METHOD_DEPTH } from '../protocol/method-limits.ts';
import { explainData, explainJson } from './explain-json.ts';
import { messageOf } from './outcome.ts';

const { stringify } = JSON;

export type MethodValue =
  | { readonly text: string; readonly problem?: never }
  /** The rest of a sentence: `is not JSON: a BigInt at count.` */
  | { readonly text?: never; readonly problem: string };

export function toMethodText(value: unknown, maxCharacters: number): MethodValue {
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    return { problem: `is not JSON: ${explainJson(value) ?? messageOf(error)}.` };
  }
  if (text === undefined) return { problem: `is not JSON: ${explainData(value) ?? 'its toJSON gives nothing'}.` };
  if (text.length > maxCharacters) {
    return {
      problem: `has ${text.length} characters as JSON, at most ${maxCharacters} are allowed. Send it in parts.`,
    };
  }
  const cost = structureCost(text, MAX_METHOD_DEPTH);
  if (cost === undefined) return { problem: `nests deeper than ${MAX_METHOD_DEPTH} levels.` };
  if (cost > MAX_METHOD_COST) return { problem: 'has too many keys and members, about 13,000 keys are allowed.' };
  const lost = explainData(value);
  return lost === undefined ? { text } : { problem: `is not JSON: ${lost}.` };
}
