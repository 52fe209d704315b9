/** What an author hands over, as JSON text: nothing of it is lost on the way without a word. */
import { nestsDeeperThan } from '../protocol/json-depth.ts';
import { explainData, explainJson } from './explain-json.ts';
import { messageOf } from './outcome.ts';

export interface JsonBounds {
  readonly characters: number;
  readonly depth: number;
  /** What to do with what is too large: "Store what is large, and say where it is." */
  readonly advice: string;
}

const { stringify } = JSON;

/** @param caller the call as the author wrote it. @throws TypeError that says what is wrong with the data */
export function toJsonText(caller: string, data: unknown, { characters, depth, advice }: JsonBounds): string {
  const refuse = (problem: string): never => {
    throw new TypeError(`${caller}: the data ${problem}`);
  };
  let text: string | undefined;
  try {
    text = stringify(data);
  } catch (error) {
    return refuse(`is not JSON: ${explainJson(data) ?? messageOf(error)}.`);
  }
  if (text === undefined) return refuse(`is not JSON: ${explainData(data) ?? 'its toJSON gives nothing'}.`);
  if (text.length > characters) {
    return refuse(`has ${text.length} characters as JSON, at most ${characters} are allowed. ${advice}`);
  }
  if (nestsDeeperThan(text, depth)) return refuse(`nests deeper than ${depth} levels.`);
  const lost = explainData(data);
  return lost === undefined ? text : refuse(`is not JSON: ${lost}.`);
}
