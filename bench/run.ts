/** `npm run bench -- QUESTION`: runs bench/QUESTION.bench.ts and prints what it found. Ends with 1 only when it broke. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { stopChildren } from './support/children.ts';
import { printBars, printSection } from './support/print.ts';
import { type Bench, type BenchOptions, passes, type Section } from './support/question.ts';

const here = import.meta.dirname;
/** Exit codes, as shells have them. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };

process.exitCode = await main();

async function main(): Promise<number> {
  let found: ReturnType<typeof readArguments>;
  try {
    found = readArguments();
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = found;
  const [question] = positionals;
  const questions = readdirSync(here).flatMap((file) => /^(.+)\.bench\.ts$/.exec(file)?.[1] ?? []);
  if (question === undefined || !questions.includes(question)) {
    return usage(`the question is one of: ${questions.join(', ')}; found ${question ?? 'none'}`);
  }
  const { bench } = (await import(`./${question}.bench.ts`)) as { bench: Bench };
  if (values.only !== undefined && !bench.parts.includes(values.only)) {
    return usage(`--only is one of: ${bench.parts.join(', ')}; found ${values.only}`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'plexi-bench-'));
  const cleanUp = async (): Promise<void> => {
    await stopChildren();
    rmSync(folder, { recursive: true, force: true });
  };
  let interrupted = false;
  for (const [signal, code] of Object.entries(INTERRUPTED)) {
    process.once(signal, () => {
      interrupted = true;
      void cleanUp().finally(() => process.exit(code));
    });
  }
  try {
    await report(question, bench, values.json, {
      quick: values.quick,
      only: values.only,
      folder,
      progress: (text) => process.stderr.write(`${text}\n`),
    });
    return 0;
  } catch (error) {
    if (!interrupted) process.stderr.write(`The bench broke: ${inspect(error)}\n`);
    return 1;
  } finally {
    await cleanUp();
  }
}

async function report(question: string, bench: Bench, asJson: boolean, options: BenchOptions): Promise<void> {
  const machine = { cores: availableParallelism(), node: process.version, platform: process.platform };
  if (!asJson) {
    const kind = options.quick ? ', quick' : '';
    process.stdout.write(`${bench.title} (${machine.cores} cores, Node ${machine.node}${kind})\n\n`);
  }
  const sections: Section[] = [];
  const start = performance.now();
  for await (const section of bench.run(options)) {
    sections.push(section);
    if (!asJson) process.stdout.write(printSection(section));
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  const bars = sections.flatMap((section) => section.bars);
  if (asJson) {
    const parts = Object.fromEntries(sections.map(({ name, data, notes }) => [name, { data, notes }]));
    const judged = bars.map((bar) => ({ ...bar, pass: passes(bar) }));
    process.stdout.write(
      `${JSON.stringify({ question, quick: options.quick, machine, seconds, parts, bars: judged }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(`${printBars(bars)}\nIt took ${seconds} s.\n`);
  }
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\nUsage: npm run bench -- QUESTION [--json] [--quick] [--only PART]\n`);
  return 2;
}
