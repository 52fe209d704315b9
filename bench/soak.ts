/** `npm run soak`: good modules keep their promises for minutes on end while hostile ones do their worst. See README.md. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { type SoakResult, soak } from './soak/soak.ts';
import { judgeSoak, printSoak, wrongAnswers } from './soak/verdict.ts';
import { stopChildren } from './support/children.ts';
import { type Bar, passes } from './support/question.ts';

const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };
const GOOD = 15;
const HOSTILE = 5;
const TURN_S = 30;
const SHORT_TURN_S = 5;
/** From here on memory is judged, and the host rests for a minute before it is read. */
const LONG_S = 120;

process.exitCode = await main();

async function main(): Promise<number> {
  let seconds: number;
  let json: boolean;
  let keep: boolean;
  try {
    ({ seconds, json, keep } = readArguments());
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : error}\nUsage: npm run soak -- [--minutes N | --seconds N] [--json] [--keep]\n`,
    );
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'plexi-soak-'));
  const cleanUp = async (): Promise<void> => {
    await stopChildren();
    if (keep) process.stderr.write(`Kept: ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  };
  let interrupted = false;
  for (const [signal, code] of Object.entries(INTERRUPTED)) {
    process.once(signal, () => {
      interrupted = true;
      void cleanUp().finally(() => process.exit(code));
    });
  }
  try {
    const isLong = seconds >= LONG_S;
    const result = await soak({
      seconds,
      good: GOOD,
      hostile: HOSTILE,
      turnSeconds: isLong ? TURN_S : SHORT_TURN_S,
      warmUpSeconds: isLong ? 30 : 2,
      restSeconds: isLong ? 60 : 1,
      folder,
      progress: (text) => process.stderr.write(`${text}\n`),
    });
    const bars = judgeSoak(result, { isLong });
    process.stdout.write(json ? toJson(result, bars) : printSoak(result, bars));
    return bars.every(passes) ? 0 : 1;
  } catch (error) {
    if (!interrupted) process.stderr.write(`The soak broke: ${inspect(error)}\n`);
    return 1;
  } finally {
    if (!interrupted) await cleanUp();
  }
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seconds: { type: 'string' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const seconds = values.seconds === undefined ? Number(values.minutes) * 60 : Number(values.seconds);
  if (!(seconds >= 1)) throw new Error('--minutes and --seconds take a number of at least a second');
  return { seconds, json: values.json, keep: values.keep };
}

function toJson({ good, runs, ...result }: SoakResult, bars: readonly Bar[]): string {
  const machine = { cores: availableParallelism(), node: process.version, platform: process.platform };
  const modules = [...good].map(([module, { latenciesMs, refusals, ...tally }]) => ({
    module,
    ...tally,
    answers: latenciesMs.length,
    refusals: Object.fromEntries(refusals),
    runs: runs.get(module),
  }));
  const judged = bars.map((bar) => ({ ...bar, pass: passes(bar) }));
  const wrong = wrongAnswers({ good, runs, ...result });
  return `${JSON.stringify({ machine, ...result, wrong, good: modules, bars: judged }, null, 2)}\n`;
}
