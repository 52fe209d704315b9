/** Builds a string from code units in blocks: one `fromCharCode` call per block, not per character. */
const BLOCK = 4096;
const { apply } = Reflect;
const { fromCharCode } = String;

export class TextBuilder {
  #text = '';
  readonly #units = new Uint16Array(BLOCK);
  #used = 0;

  addUnit(unit: number): void {
    if (this.#used === BLOCK) this.#flush();
    this.#units[this.#used++] = unit;
  }

  addCodePoint(code: number): void {
    if (code < 0x10000) {
      this.addUnit(code);
      return;
    }
    this.addUnit(0xd800 + ((code - 0x10000) >> 10));
    this.addUnit(0xdc00 + ((code - 0x10000) & 0x3ff));
  }

  finish(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    this.#text += apply(fromCharCode, undefined, this.#units.subarray(0, this.#used));
    this.#used = 0;
  }
}
