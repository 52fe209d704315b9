/** Words of a module as a terminal may show them: no escape sequence, no text that reads backwards, no forged line. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Boundary: a later line of a text is indented, so that it cannot pass for one of the host's own. */
export function printable(text: string): string {
  const plain = text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return plain.includes('\n') ? plain.replaceAll('\n', '\n    ') : plain;
}
