/** Runs confinement cases as modules in one real cell, each in a thread of its own, beside a neighbour. */
import { setTimeout as sleep } from 'node:timers/promises';
import { invokeGuest } from '../../runtime/modules/invoke-guest.ts';
import type { ModuleAnswer } from '../../runtime/modules/served-module.ts';
import { type CellRoom, type Guest, openCellRoom } from './cell-room.ts';
import type { ConfinementCase } from './confinement-case.ts';
import { type CaseHost, type CaseResult, createCaseHost, isResult, PlantedFailure } from './confinement-host.ts';
import { toModule } from './confinement-module.ts';

export interface CellRun extends CaseResult {
  /** `answered`, or the code of the error that its endpoint, or its boot, ended with. */
  readonly outcome: string;
  /** The case did not get as far as it wanted to. */
  readonly threw: string | undefined;
  /** It got hold of the bridge's port. */
  readonly hadPort: boolean;
  /** Of the host's capabilities, other than those that were asked to fail. */
  readonly failures: readonly unknown[];
  /** Why its thread ended by itself, if it did. */
  readonly ended: string | undefined;
}

export interface ConfinementCell {
  run(attempt: ConfinementCase): Promise<CellRun>;
  /** @throws Error when the neighbour or the cell did not outlive what ran last */
  assertWell(): Promise<void>;
  close(): Promise<void>;
}

/** What the module of a case answers (confinement-module.ts). */
interface CaseAnswer extends CaseResult {
  readonly threw?: string;
  readonly hadPort: boolean;
}

const DEADLINE_MS = 15_000;
const CALL_BACK_MS = 2_000;
/** For what comes after the answer: a timer that throws, a word of a case that dies. */
const AFTERMATH_MS = 20;

export async function openConfinementCell(plantedFile: string): Promise<ConfinementCell> {
  const room = await openCellRoom();
  let neighbour = await bootNeighbour(room);
  return {
    run: (attempt) => run(room, attempt, plantedFile),
    async assertWell() {
      try {
        const answer = await neighbour.json<{ hello?: unknown }>('hello');
        if (answer.hello !== 1 || neighbour.violations.length > 0) throw new Error('The neighbour was touched.');
      } catch (error) {
        // The cases that follow have a right to a cell that is well.
        neighbour = await bootNeighbour(room);
        throw new Error('The neighbour in the same cell does not answer any more.', { cause: error });
      }
    },
    close: () => room.close(),
  };
}

function bootNeighbour(room: CellRoom): Promise<Guest> {
  return room.boot('onhello() { return { hello: 1 }; }', { name: 'neighbour' });
}

async function run(room: CellRoom, attempt: ConfinementCase, plantedFile: string): Promise<CellRun> {
  let guest: Guest | undefined;
  const host = createCaseHost(async (args) => {
    if (guest === undefined) throw new PlantedFailure('not yet booted');
    return readAnswer(await invoke(guest, 'cb', { args }, CALL_BACK_MS));
  });
  try {
    guest = await room.boot(...bootArguments(attempt, plantedFile, host));
  } catch (error) {
    return {
      ...host.noted(),
      outcome: codeOf(error),
      threw: undefined,
      hadPort: false,
      failures: [],
      ended: undefined,
    };
  }
  return finish(guest, host, await invoke(guest, 'attempt', {}, DEADLINE_MS).then(readAnswer, codeOf));
}

function bootArguments(attempt: ConfinementCase, plantedFile: string, host: CaseHost): Parameters<CellRoom['boot']> {
  const options = { name: 'hostile', capabilities: { users: host.capability } };
  if (attempt.flags.has('raw')) return ['', { ...options, source: attempt.text }];
  const { before, body } = toModule(attempt, plantedFile);
  return [body, { ...options, before }];
}

async function finish(guest: Guest, host: CaseHost, answer: unknown): Promise<CellRun> {
  const exit = await Promise.race([guest.exit, sleep(AFTERMATH_MS, undefined)]);
  guest.instance.terminate('terminated', 'the case is over');
  await guest.exit;
  const said = isResult(answer) ? (answer as CaseAnswer) : undefined;
  const noted = host.noted();
  const { level, notes } = said !== undefined && said.level >= noted.level ? said : noted;
  return {
    level,
    notes,
    outcome: said === undefined ? String(answer) : 'answered',
    threw: said?.threw,
    hadPort: said?.hadPort === true,
    failures: guest.failures.filter((failure) => !(failure instanceof PlantedFailure)),
    ended: exit?.reason,
  };
}

function invoke(
  guest: Guest,
  method: string,
  params: Readonly<Record<string, unknown>>,
  deadlineMs: number,
): Promise<ModuleAnswer> {
  const request = {
    handler: `GET /${method}`,
    method: 'GET',
    url: `http://host.test/${method}`,
    headers: [],
    params,
    query: {},
    user: { id: 'alice', tier: 'basic' as const, permissions: ['read'] },
    requestId: 'case',
    deadline: Date.now() + deadlineMs,
  };
  return invokeGuest(guest.instance, request, { body: { kind: 'none' }, signal: undefined }, () => {});
}

async function readAnswer({ body }: ModuleAnswer): Promise<unknown> {
  if (body.kind === 'none') return undefined;
  const text = body.kind === 'text' ? body.text : await new Response(body.stream).text();
  return JSON.parse(text);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
