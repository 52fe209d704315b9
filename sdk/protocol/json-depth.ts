/** How deep a JSON text nests, found without parsing it: what is parsed is walked by recursive code later. */
const QUOTE = 34;
const BACKSLASH = 92;

export function nestsDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index + 1);
    } else if ((code | 32) === 123) {
      // `[` (91) and `{` (123) differ in one bit, as do `]` (93) and `}` (125).
      if (++depth > limit) return true;
    } else if ((code | 32) === 125) {
      depth--;
    }
  }
  return false;
}

/** The index of the quote that closes a string; native search makes long bodies cheap. */
export function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1) {
    let before = quote - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}
