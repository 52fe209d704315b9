/**
 * Takes secrets out of a text that the other side wrote, however it wrote them down: as they are, by percent (of percent),
 * as a form has it, with escapes, as HTML has it, in bytes of UTF-8 or of Latin-1, in capitals or without.
 *
 * Compared is at each place, byte by byte: to decode the whole text first would let the letters before a secret swallow
 * its first ones (`%` before `41`), and a module writes those letters.
 */

/** What is shorter is no secret, and replacing it would garble everything. */
const MIN_HIDDEN_LENGTH = 4;
/** Percent of percent of percent: nobody writes more by accident. */
const MAX_ROUNDS = 6;
/** Far more than a text takes that was not written to keep us busy: most of its letters start no secret. */
const STEPS_PER_LETTER = 4;
const FIRST_STEPS = 4_000;

const [PERCENT, BACKSLASH, AMPERSAND, SPACE, PLUS] = [0x25, 0x5c, 0x26, 0x20, 0x2b];
const NAMED: Readonly<Record<string, number>> = { amp: 0x26, lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27, nbsp: 0x20 };

/** @param secrets value → what stands in its place */
export function hideSecrets(text: string, secrets: ReadonlyMap<string, string>): string {
  const wanted = byFirstByte(secrets);
  const reading = new Reading(text);
  const found: Span[] = [];
  for (let start = 0; start < text.length; start++) {
    const candidates = new Set(reading.at(start).flatMap(({ bytes }) => wanted.get(bytes[0] ?? 0) ?? []));
    for (const one of candidates) {
      findAt(reading, start, one, found);
      // Boundary: what takes too long to look through is not shown at all.
      if (reading.stepsLeft < 0) return one.placeholder;
    }
  }
  return replaceAll(text, found);
}

interface Wanted {
  readonly bytes: Uint8Array;
  readonly placeholder: string;
}

function byFirstByte(secrets: ReadonlyMap<string, string>): ReadonlyMap<number, readonly Wanted[]> {
  const wanted = new Map<number, Wanted[]>();
  for (const [value, placeholder] of secrets) {
    for (const bytes of formsOf(value)) {
      const [first = 0] = bytes;
      wanted.set(first, [...(wanted.get(first) ?? []), { bytes, placeholder }]);
    }
  }
  return wanted;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly placeholder: string;
}

/**
 * As bytes of UTF-8 and of Latin-1; as it becomes when somebody decodes it once too often; and without the letters that
 * somebody could not write.
 */
function formsOf(value: string): readonly Uint8Array[] {
  const texts = new Set<string>();
  for (let text = value.toWellFormed(); !texts.has(text) && texts.size < MAX_ROUNDS; text = decodeLeniently(text))
    texts.add(text);
  for (const instead of ['', '?']) texts.add(value.replace(/[^\0-\x7f]/gu, instead));
  const forms = new Set<string>();
  for (const text of texts) {
    if (text.length < MIN_HIDDEN_LENGTH) continue;
    forms.add(latin1(Buffer.from(text).map(fold)));
    if (/^[\0-\xff]*$/.test(text)) forms.add(latin1(Buffer.from(text, 'latin1').map(fold)));
  }
  return [...forms].map((form) => Buffer.from(form, 'latin1'));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Of percents that are none, nothing is made. */
function decodeLeniently(text: string): string {
  const bytes = latin1(Buffer.from(text)).replace(/%([0-9a-f]{2})/gi, (_found, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

/** Capitals are small, and a plus is a space: forms write them so. */
function fold(byte: number): number {
  if (byte === PLUS) return SPACE;
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** What one place of a text may mean, and where what comes after it starts. */
interface Step {
  /** One byte, or those of one letter. */
  readonly bytes: readonly number[];
  readonly next: number;
}

/** Each place is read once, when somebody gets there. */
class Reading {
  readonly text: string;
  stepsLeft: number;
  readonly #steps: (readonly Step[] | undefined)[];

  constructor(text: string) {
    this.text = text;
    this.stepsLeft = FIRST_STEPS + text.length * STEPS_PER_LETTER;
    this.#steps = new Array(text.length);
  }

  at(place: number): readonly Step[] {
    const known = this.#steps[place];
    if (known !== undefined) return known;
    const steps = readSteps(this.text, place);
    this.#steps[place] = steps;
    return steps;
  }
}

function readSteps(text: string, place: number): readonly Step[] {
  const code = text.codePointAt(place) ?? 0;
  if (code >= 0x80) return readLetter(code, place);
  const plain: Step = { bytes: [fold(code)], next: place + 1 };
  if (code === PERCENT) return [plain, ...readPercent(text, place)];
  if (code === AMPERSAND) return [plain, ...readEntity(text, place)];
  if (code === BACKSLASH) return [plain, ...readEscape(text, place)];
  return [plain];
}

/** As UTF-8 writes it; or it is a byte that somebody took for a letter, or one that nobody could read. */
function readLetter(code: number, place: number): readonly Step[] {
  const next = place + (code > 0xffff ? 2 : 1);
  const steps: Step[] = [{ bytes: [...Buffer.from(String.fromCodePoint(code))], next }];
  if (code <= 0xff) steps.push({ bytes: [code], next });
  return steps;
}

/** `%2F`, `%252F` and so on. */
function readPercent(text: string, place: number): readonly Step[] {
  const steps: Step[] = [];
  let start = place + 1;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const digits = text.slice(start, start + 2);
    if (!/^[0-9a-f]{2}$/i.test(digits)) break;
    steps.push({ bytes: [fold(Number.parseInt(digits, 16))], next: start + 2 });
    if (digits !== '25') break;
    start += 2;
  }
  return steps;
}

/** `&amp;`, `&#38;`, `&#x26;` */
function readEntity(text: string, place: number): readonly Step[] {
  const [found, name = '', decimal, hexadecimal] =
    /^&(?:([a-z]{2,4})|#0{0,4}([0-9]{1,7})|#x0{0,4}([0-9a-f]{1,6}));?/i.exec(text.slice(place, place + 14)) ?? [];
  if (found === undefined) return [];
  const code =
    decimal !== undefined
      ? Number(decimal)
      : hexadecimal !== undefined
        ? Number.parseInt(hexadecimal, 16)
        : NAMED[name.toLowerCase()];
  return lettersOf(code, place + found.length);
}

/** `\u0026`, `\x26` */
function readEscape(text: string, place: number): readonly Step[] {
  const [found, high, low, long, short] =
    /^\\(?:u(d[89ab]..)\\u(d[c-f]..)|u(....)|x(..))/i.exec(text.slice(place, place + 12)) ?? [];
  if (found === undefined) return [];
  const digits = [high, low, long, short].filter((part) => part !== undefined);
  if (!digits.every((part) => /^[0-9a-f]+$/i.test(part))) return [];
  const letters = String.fromCharCode(...digits.map((part) => Number.parseInt(part, 16)));
  return lettersOf(letters.codePointAt(0), place + found.length);
}

function lettersOf(code: number | undefined, next: number): readonly Step[] {
  if (code === undefined || code > 0x10ffff) return [];
  return [{ bytes: [...Buffer.from(String.fromCodePoint(code).toWellFormed())].map(fold), next }];
}

function findAt(reading: Reading, start: number, { bytes: wanted, placeholder }: Wanted, found: Span[]): void {
  const size = wanted.length + 1;
  // Places in the text, each with how much was found before it, as one number: several ways may lead to the same.
  for (let ways = new Set([start * size]); ways.size > 0; ) {
    const after = new Set<number>();
    for (const way of ways) {
      const [place, done] = [Math.floor(way / size), way % size];
      if (done === wanted.length) found.push({ start, end: place, placeholder });
      else if (place < reading.text.length) {
        for (const { bytes, next } of reading.at(place)) {
          if (--reading.stepsLeft < 0) return;
          // The letter after it is what is meant.
          if (bytes[0] === BACKSLASH && done > 0) after.add(next * size + done);
          if (bytes.every((byte, index) => byte === wanted[done + index])) after.add(next * size + done + bytes.length);
        }
      }
    }
    ways = after;
  }
}

/** What overlaps is one: nothing of either may be left over. */
function replaceAll(text: string, found: Span[]): string {
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  let hidden = '';
  let end = 0;
  for (const span of found) {
    if (span.start >= end) hidden += text.slice(end, span.start) + span.placeholder;
    end = Math.max(end, span.end);
  }
  return hidden + text.slice(end);
}
