/** Tasks and their runs as tables. */
import { table } from './table.ts';
import type { RunAnswer, TaskAnswer } from './task-answers.ts';
import { showDuration, showMoment } from './times.ts';

export function showTasks(tasks: readonly TaskAnswer[], now: Date): string {
  const rows = tasks.map((task) => ({
    cells: [task.module, task.task, STATE_WORDS[task.state], scheduleOf(task), nextOf(task, now)],
    notes: taskNotes(task, now),
  }));
  return table(['MODULE', 'TASK', 'STATE', 'SCHEDULE', 'NEXT RUN'], rows);
}

const STATE_WORDS = {
  scheduled: 'scheduled',
  paused: 'paused',
  on_demand: 'on demand',
  idle: 'not served',
  unknown: 'queue away',
} as const satisfies Record<TaskAnswer['state'], string>;

function scheduleOf({ schedule, timezone }: TaskAnswer): string {
  if (schedule === null) return '-';
  return timezone === null ? schedule : `${schedule} ${timezone}`;
}

function nextOf({ next_at }: TaskAnswer, now: Date): string {
  return next_at === null ? '-' : showMoment(next_at, now);
}

function taskNotes({ paused, failures_in_a_row: failures }: TaskAnswer, now: Date): string[] {
  const notes: string[] = [];
  if (paused !== null) {
    const reason = paused.reason === '' ? '' : `: ${paused.reason}`;
    const who = paused.by === 'failures' ? 'paused itself' : 'paused by an operator';
    notes.push(`${who}${paused.at === null ? '' : ` ${showMoment(paused.at, now)}`}${reason}`);
  }
  if (failures > 0 && paused === null) notes.push(`failed in a row: ${failures}`);
  return notes;
}

export function showRuns(runs: readonly RunAnswer[], now: Date): string {
  const rows = runs.map((run) => ({
    cells: [run.id, stateOf(run), run.origin, `${run.attempt}/${run.attempts}`, whenOf(run, now), tookOf(run, now)],
    notes: runNotes(run, now),
  }));
  return table(['RUN', 'STATE', 'ASKED BY', 'ATTEMPT', 'WHEN', 'TOOK'], rows);
}

function stateOf({ state, skipped }: RunAnswer): string {
  return skipped === null ? state : 'skipped';
}

function whenOf({ state, created_at, started_at, finished_at, due_at }: RunAnswer, now: Date): string {
  if (state === 'delayed' && due_at !== null) return `due ${showMoment(due_at, now)}`;
  if (state === 'active' && started_at !== null) return `started ${showMoment(started_at, now)}`;
  if (finished_at !== null) return `ended ${showMoment(finished_at, now)}`;
  return `asked for ${showMoment(created_at, now)}`;
}

function tookOf({ state, started_at, finished_at }: RunAnswer, now: Date): string {
  if (started_at === null) return '-';
  if (state === 'active') return showDuration(now.getTime() - Date.parse(started_at));
  return finished_at === null ? '-' : showDuration(Date.parse(finished_at) - Date.parse(started_at));
}

function runNotes(run: RunAnswer, now: Date): string[] {
  const notes: string[] = [];
  if (run.skipped !== null) notes.push(`left out: ${run.skipped}`);
  if (run.error !== null) notes.push(`${run.error.code}: ${run.error.message}`);
  if (run.interruptions > 0) notes.push(`interrupted: ${run.interruptions} × by the end of its thread, cell or host`);
  if (run.slot !== null && run.state !== 'completed')
    notes.push(`its time by the schedule: ${showMoment(run.slot, now)}`);
  const progress = [run.progress === null ? '' : `${run.progress} %`, run.note ?? ''].filter(Boolean).join(' ');
  if (progress !== '' && (run.state === 'active' || run.state === 'failed')) notes.push(`progress: ${progress}`);
  if (run.state === 'completed' && run.result !== null && run.result !== undefined) {
    notes.push(`result: ${brief(run.result)}`);
  }
  return notes;
}

const MAX_RESULT = 200;

function brief(result: unknown): string {
  try {
    const text = JSON.stringify(result) ?? '';
    return text.length > MAX_RESULT ? `${text.slice(0, MAX_RESULT)}… (--json shows all)` : text;
  } catch {
    // Nested deeper than the stack is.
    return '(--json shows it)';
  }
}
