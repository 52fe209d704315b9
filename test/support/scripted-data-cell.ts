/** Data cells that are a script: what they were sent is seen, and they answer when the test says so. */
import type { DataAnswer, DataRequest } from '../../runtime/bridge/data-words.ts';
import type { CellEvents, DataCell } from '../../runtime/databases/lane.ts';

export interface ScriptedDataCell {
  /** Not answered yet, in order. */
  readonly waiting: readonly DataRequest[];
  readonly seen: readonly DataRequest[];
  readonly isDead: boolean;
  /** Answers the first, each of its statements alike. */
  answer(answer?: DataAnswer): void;
  /** Any reply at all. */
  say(id: number, isLast: boolean, answers: readonly DataAnswer[], results?: readonly string[]): void;
  die(): void;
}

export interface ScriptedDataCells {
  readonly start: (events: CellEvents) => DataCell;
  readonly cells: readonly ScriptedDataCell[];
  /** Whether files are opened without a word from the test. */
  opens: boolean;
}

export const EMPTY_RESULT = '[[],"",[],0,null]';

/** @param isEager answers everything by itself */
export function scriptDataCells({ isEager = false } = {}): ScriptedDataCells {
  const cells: ScriptedDataCell[] = [];
  const script: ScriptedDataCells = {
    cells,
    opens: true,
    start(events) {
      const cell = createCell(events, ({ op }) => isEager || (op === 'open' && script.opens));
      cells.push(cell);
      queueMicrotask(() => cell.say(0, true, []));
      return cell;
    },
  };
  return script;
}

function createCell(events: CellEvents, isAnswered: (request: DataRequest) => boolean): ScriptedDataCell & DataCell {
  const waiting: DataRequest[] = [];
  const seen: DataRequest[] = [];
  let isDead = false;
  const die = (): void => {
    if (isDead) return;
    isDead = true;
    events.onEnd('killed by SIGKILL');
  };
  const cell: ScriptedDataCell & DataCell = {
    waiting,
    seen,
    get isDead() {
      return isDead;
    },
    send(request) {
      waiting.push(request);
      seen.push(request);
      if (!isAnswered(request)) return;
      queueMicrotask(() => {
        if (waiting[0] === request) cell.answer();
      });
    },
    answer(answer = 'result') {
      const request = waiting.shift();
      if (request === undefined || isDead) return;
      const count = request.op === 'run' ? request.statements.length : answer === 'result' ? 0 : 1;
      const answers = Array.from({ length: count }, () => answer);
      cell.say(request.id, true, answers, answer === 'result' ? answers.map(() => EMPTY_RESULT) : []);
    },
    say: (id, isLast, answers, results = []) => {
      if (!isDead) events.onReply([id, isLast, [...answers], false], results);
    },
    die,
    // Not in the same turn, as a process does it.
    kill: () => void setImmediate(die),
    close: async () => die(),
  };
  return cell;
}
