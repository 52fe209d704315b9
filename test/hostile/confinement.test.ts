/**
 * Every case of test/hostile/cases, run as a module in a real cell, where it must get nothing, and in realms without walls,
 * where it must get something: a case that cannot fail proves nothing. The bundle's check is left out, since what it
 * refuses has to hold in the realm as well; a name says where that check would have been the first wall.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintBundle } from '../../runtime/modules/lint.ts';
import { type ConfinementCase, readCases } from '../support/confinement-case.ts';
import { type CellRun, type ConfinementCell, openConfinementCell } from '../support/confinement-cell.ts';
import { toModule } from '../support/confinement-module.ts';
import { type NaiveRealms, openNaiveRealms } from '../support/confinement-naive.ts';

/** Level 1: what a module is told although it belongs to the outside, with the place in ARCHITECTURE.md that says so. */
const GIVEN: Readonly<Record<string, string>> = {};

/** Only the bundle's check stops the syntax. The realm lets an error of the outer realm in, which has no power there. */
const REFUSED_BY_LINT: Readonly<Record<string, string>> = {
  'b07-import-rejection': 'Node rejects import() with an error of its own realm, whatever a context says',
  'b08-import-attributes': 'the same',
  'import-error-as-a-tool': 'the same; what can be done with that error is what this case tries',
};

/** How cases may end that bring their own thread down before they have said all. Nobody else notices. */
const ENDS: Readonly<Record<string, string>> = {
  'b13-port-native-errors': 'flood',
  'd08-raw-garbage': 'flood',
  'd11-forged-reply-ids': 'violations',
};

/** After information only, so level 1 is what they get where there is no wall. */
const AFTER_INFORMATION: ReadonlySet<string> = new Set(['d16-tostring-source-leak', 'e08-highres-timers']);

/** What could not be made to fire on any realm of this Node. */
const NEVER_FIRES: Readonly<Record<string, string>> = {
  'a10-caller-arguments': 'a case is an async arrow function, and that has no caller to give; a11 asks a plain one',
  'd04-handleevent-object': 'C++ calls functions only, and a moved port is of the guest’s realm with all that it has',
  'e05-shadowrealm': 'behind a flag, and Node loads no builtin into one',
};

const cases = readCases();
const titled = cases.map((attempt) => [titleOf(attempt), attempt] as const);
const canary = 'ENV-CANARY-c0ffee';
let folder: string;
let plantedFile: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plexi-confinement-'));
  plantedFile = join(folder, 'planted.txt');
  writeFileSync(plantedFile, 'FILE-CANARY-c0ffee\n');
  process.env.CANARY = canary;
});
afterAll(() => {
  delete process.env.CANARY;
  rmSync(folder, { recursive: true, force: true });
});

describe('in a cell, beside a neighbour, it is contained:', () => {
  let cell: ConfinementCell;
  beforeAll(async () => {
    cell = await openConfinementCell(plantedFile);
  });
  afterAll(() => cell?.close());

  it.each(titled)('%s', async (_title, attempt) => {
    const run = await cell.run(attempt);
    await cell.assertWell();
    expect(run.failures).toEqual([]);
    expect(run.threw).toBeUndefined();
    expectContained(run, attempt);
    expect(attempt.flags.has('raw') ? ['MODULE_CRASHED'] : ['answered', ENDS[attempt.name]]).toContain(endOf(run));
    expect(run.hadPort).toBe(attempt.flags.has('rawport') && run.outcome === 'answered');
  });
});

describe('without walls it gets something:', () => {
  let realms: NaiveRealms;
  beforeAll(async () => {
    realms = await openNaiveRealms(folder, plantedFile);
  });

  it.concurrent.each(titled)('%s', async (_title, attempt) => {
    const firing = await realms.fire(attempt, AFTER_INFORMATION.has(attempt.name) ? 1 : 2);
    if (attempt.name in NEVER_FIRES) expect(firing, 'it fires by now: take it from the table').toBeUndefined();
    else expect(firing, 'it got nothing in any realm').toBeDefined();
  });
});

it('names only cases that are there', () => {
  const names = new Set(cases.map(({ name }) => name));
  const told = [GIVEN, REFUSED_BY_LINT, ENDS, NEVER_FIRES].flatMap((table) => Object.keys(table));
  expect([...told, ...AFTER_INFORMATION].filter((name) => !names.has(name))).toEqual([]);
  expect(names.size).toBe(cases.length);
});

it('has walls in the check of bundles where it says so', () => {
  const refused = cases.filter(isRefused).map(({ name }) => name);
  expect(refused).toEqual(expect.arrayContaining(Object.keys(REFUSED_BY_LINT)));
});

function expectContained({ level, notes }: CellRun, { name }: ConfinementCase): void {
  if (name in REFUSED_BY_LINT) {
    expect(level).toBe(2);
    expect(notes.filter((note) => !/^[12]:\S.* foreign (object|function)$/.test(note))).toEqual([]);
    return;
  }
  expect({ level, notes }).toEqual(name in GIVEN ? { level: 1, notes: expect.anything() } : { level: 0, notes: [] });
}

function endOf({ outcome, ended }: CellRun): string {
  return ended ?? outcome;
}

function titleOf(attempt: ConfinementCase): string {
  const refused = isRefused(attempt) ? ' (the check of bundles refuses it as well)' : '';
  return `${attempt.name}: ${attempt.description}${refused}`;
}

/** The syntax of the case itself; how the rest of a module is made is the test's business. */
function isRefused(attempt: ConfinementCase): boolean {
  return lintBundle(attempt.flags.has('raw') ? attempt.text : toModule(attempt, '').before).length > 0;
}
