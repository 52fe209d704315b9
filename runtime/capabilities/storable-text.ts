/** Boundary: what any database keeps as it is: no NUL, no half of a character. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
