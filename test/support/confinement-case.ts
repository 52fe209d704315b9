/** The cases of test/hostile/cases as files: what each says about itself, and the text that runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ConfinementCase {
  /** The file's name without its ending. */
  readonly name: string;
  readonly set: 'corpus' | 'own';
  readonly file: string;
  readonly description: string;
  readonly class: string;
  readonly flags: ReadonlySet<CaseFlag>;
  /** An expression, `async (t) => { … }`; with the flag `raw` a module's whole source. */
  readonly text: string;
}

/** `last`: it ends its own port, so nothing more is to be heard of it. */
export type CaseFlag = 'rawport' | 'crash' | 'raw' | 'last';

const CASES = fileURLToPath(new URL('../hostile/cases/', import.meta.url));
const FLAGS: ReadonlySet<string> = new Set<CaseFlag>(['rawport', 'crash', 'raw', 'last']);

/** What makes `t`, as text: it runs inside of the realm under test. */
export const PRELUDE: string = readFileSync(join(CASES, 'prelude.js'), 'utf8');

export function readCases(): ConfinementCase[] {
  return (['corpus', 'own'] as const).flatMap((set) =>
    readdirSync(join(CASES, set))
      .filter((file) => file.endsWith('.js'))
      .sort()
      .map((file) => readCase(set, join(CASES, set, file))),
  );
}

/** @throws Error that names the file and what its head lacks */
function readCase(set: ConfinementCase['set'], file: string): ConfinementCase {
  const lines = readFileSync(file, 'utf8').split('\n');
  const head = (index: number, key: string): string => {
    const value = lines[index]?.match(/^\/\/ ([a-z]+):(.*)$/);
    if (value?.[1] !== key) throw new Error(`${file}: line ${index + 1} must be "// ${key}: …".`);
    return value[2]?.trim() ?? '';
  };
  const flags = head(2, 'flags')
    .split(/[\s,]+/)
    .filter(Boolean);
  const unknown = flags.find((flag) => !FLAGS.has(flag));
  if (unknown !== undefined)
    throw new Error(`${file}: no flag is called "${unknown}"; there are ${[...FLAGS].join(', ')}.`);
  return {
    name: basename(file, '.js'),
    set,
    file,
    description: head(0, 'desc'),
    class: head(1, 'class'),
    flags: new Set(flags as CaseFlag[]),
    text: lines.slice(3).join('\n'),
  };
}
