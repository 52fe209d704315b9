/** Which patterns of a stranger may run on the host's own thread: those whose backtracking has a bound. */

export const SAFE_PATTERN =
  'a regular expression of at most 200 characters without repeated groups, back references or look-around, with at ' +
  'most two open repeats (one where it does not begin with ^), three "?", few choices that can fit at once, and short where it has as many open repeats as that';

/**
 * Boundary: V8 tries every way in which a text may fit. Each `*`, `+` and `{m,n}` multiplies the ways by the length of
 * the text, and so does a start that is not anchored; each `?` doubles them; each group multiplies them by its choices.
 */
export function isSafePattern(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return false;
  // \p and what refers back keep their backslash, and are refused by it.
  const bare = value.replace(/\\[^1-9kpP]/g, '.').replace(/\[[^\]]*\]/g, '.');
  if (/\\|\(\?(?!:)|\)[*+?{]/.test(bare)) return false;
  try {
    new RegExp(value, 'u');
  } catch {
    return false;
  }
  const tokens = bare.match(TOKEN) ?? [];
  const optionals = tokens.filter((token) => token === '?').length;
  const parsed = readChoices(tokens);
  return optionals <= MAX_OPTIONALS && parsed.every(isBounded) && paths(parsed) <= MAX_WAYS;
}

const MAX_LENGTH = 200;
const MAX_OPTIONALS = 3;
const MAX_WAYS = 8;
/** Of the length of the text. */
const MAX_POWERS = 2;
/** For each of the squares. */
const MAX_WORK = 64;

const TOKEN = /\(\?:|\{\d+(?:,\d*)?\}|./gsu;

/** One of the choices between `|`. */
interface Choice {
  /** The character that it begins with; nothing when it may begin with several, or with none. */
  readonly first: string | undefined;
  /** Characters, classes and groups. */
  readonly parts: number;
  /** What one way through it takes: `{64}` is 64 steps. */
  readonly steps: number;
  readonly repeats: number;
  readonly ways: number;
}

function isBounded({ first, repeats, ways, steps }: Choice): boolean {
  const powers = repeats + (first === '^' ? 0 : 1);
  return powers < MAX_POWERS || (powers === MAX_POWERS && ways * steps <= MAX_WORK);
}

/** Takes its tokens from the list, up to the end of its group. */
function readChoices(tokens: string[]): Choice[] {
  const choices: Choice[] = [];
  let choice = EMPTY;
  for (let token = tokens.shift(); token !== undefined && token !== ')'; token = tokens.shift()) {
    if (token === '|') {
      choices.push(choice);
      choice = EMPTY;
    } else choice = extended(choice, token, tokens);
  }
  return [...choices, choice];
}

const EMPTY: Choice = { first: undefined, parts: 0, steps: 0, repeats: 0, ways: 1 };

function extended(choice: Choice, token: string, tokens: string[]): Choice {
  const { first, parts, steps, repeats, ways } = choice;
  if (token === '(' || token === '(?:') {
    const inner = readChoices(tokens);
    const most = Math.max(...inner.map((one) => one.repeats));
    const inSteps = Math.max(...inner.map((one) => one.steps));
    return {
      first,
      parts: parts + 1,
      steps: steps + inSteps,
      repeats: repeats + most,
      ways: ways * paths(inner),
    };
  }
  // What is repeated may be left out, and then it begins with what follows.
  const begin = parts === 1 ? undefined : first;
  if (token === '?') return { ...choice, first: begin, ways: ways * 2 };
  if (token === '*' || token === '+') return { ...choice, first: begin, repeats: repeats + 1 };
  if (token.startsWith('{')) {
    const fixed = Number.parseInt(token.slice(1), 10);
    return { ...choice, first: begin, steps: steps + fixed, repeats: repeats + (token.includes(',') ? 1 : 0) };
  }
  return { ...choice, first: parts === 0 && token !== '.' ? token : first, parts: parts + 1, steps: steps + 1 };
}

/** Choices that begin with different characters never fit the same text. */
function paths(choices: readonly Choice[]): number {
  const sums = new Map<string, number>();
  for (const { first = '', ways } of choices) {
    const begin = first === '^' || first === '$' ? '' : first;
    sums.set(begin, (sums.get(begin) ?? 0) + ways);
  }
  const open = sums.get('') ?? 0;
  sums.delete('');
  return open + Math.max(0, ...sums.values());
}
