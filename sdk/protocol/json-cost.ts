/**
 * What it costs to parse a JSON text, found without parsing it. A character of a string costs next to nothing, the same
 * character as the key of an object fifty times as much: who counts characters alone lets a text take most of a second.
 */
import { endOfString } from './json-depth.ts';

/** A key that the engine has not seen before, in an object of a shape that it has not seen before. */
const KEY_COST = 64;
/** A list, an object, or one more member of it. */
const MEMBER_COST = 16;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;

/**
 * @returns what the lists, objects, members and keys of the text cost beyond its characters, in characters; undefined
 * when it nests deeper than `maxDepth`
 */
export function structureCost(text: string, maxDepth: number): number | undefined {
  let depth = 0;
  let cost = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index + 1);
    } else if (code === COMMA) {
      cost += MEMBER_COST;
    } else if (code === COLON) {
      cost += KEY_COST;
    } else if ((code | 32) === 123) {
      // `[` (91) and `{` (123) differ in one bit, as do `]` (93) and `}` (125).
      if (++depth > maxDepth) return undefined;
      cost += MEMBER_COST;
    } else if ((code | 32) === 125) {
      depth--;
    }
  }
  return cost;
}
