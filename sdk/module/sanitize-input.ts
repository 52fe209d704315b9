/** Text from strangers, made fit to store and to show. */
const TAG = /<\/?[A-Za-z!?][^>]*>?/g;
// Control characters except tab and line feed, and the invisible marks that reorder or hide text.
const INVISIBLE = /[^\P{Cc}\t\n]|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export interface SanitizeOptions {
  /** Characters (code points) that are kept, counted before escaping. Default: 10,000. */
  readonly maxLength?: number;
  /** `strip` removes what looks like a tag and then escapes the rest; `escape` keeps all of it, escaped. Default: strip. */
  readonly html?: 'strip' | 'escape';
}

/**
 * In this order: not a string becomes ''; Unicode NFC; CRLF becomes LF; control, bidirectional and zero-width characters
 * go (tab and line feed stay; the joiners that emoji and some scripts need stay); what looks like an HTML tag goes; blanks
 * at both ends go; at most `maxLength` characters stay; `& < > " '` become entities. The result is safe as HTML text and
 * in quoted attributes; it is no defence in URLs, scripts, styles or SQL.
 * @example
 * sanitizeInput('  <b>Hi</b> & bye ', { maxLength: 100 }); // 'Hi &amp; bye'
 */
export function sanitizeInput(text: unknown, options: SanitizeOptions = {}): string {
  if (typeof text !== 'string') return '';
  const { maxLength = 10_000, html = 'strip' } = options;
  const clean = text.toWellFormed().normalize('NFC').replace(/\r\n?/g, '\n').replace(INVISIBLE, '');
  const bare = html === 'strip' ? stripTags(clean) : clean;
  return truncate(bare.trim(), maxLength).replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? letter);
}

/** Again until nothing changes: removing the inner tag of `<<b>b>` makes a new one. */
function stripTags(text: string): string {
  let before = text;
  for (let round = 0; round < 10; round++) {
    const after = before.replace(TAG, '');
    if (after === before) return after;
    before = after;
  }
  return before.replace(/[<>]/g, '');
}

function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  let kept = '';
  let count = 0;
  for (const character of text) {
    if (count++ >= maxLength) break;
    kept += character;
  }
  return kept.trimEnd();
}
