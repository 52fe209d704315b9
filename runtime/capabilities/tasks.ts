/** What a module may do with tasks: run its own, and report on runs that are under way in it. */
import { TASKS_METHODS } from '@plexichat/sdk/protocol/capabilities/tasks';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import {
  MAX_TASK_DATA,
  MAX_TASK_DELAY,
  MAX_TASK_DEPTH,
  MAX_TASK_LINE,
  MAX_TASK_LINES,
  MAX_TASK_NOTE,
} from '@plexichat/sdk/protocol/task-limits';
import { Compile } from 'typebox/compile';
import { storableText } from '../queue/storable.ts';
import type { Capability } from './capability.ts';

export interface TaskPort {
  /**
   * Runs a task of that module once, after the delay.
   * @param data JSON text of ours; to be kept as text: databases refuse some of what JSON allows
   * @throws PlexiError NOT_FOUND, QUOTA_EXCEEDED, QUEUE_UNAVAILABLE
   */
  enqueue(module: string, task: string, data: string, delayMs: number): Promise<{ id: string }>;
  /** Words on a run; dropped when it is not under way in that module. Returns at once and bounds what waits. */
  progress(module: string, jobId: string, percent: number, note: string | undefined): void;
  log(module: string, jobId: string, line: string): void;
}

const checkEnqueue = Compile(TASKS_METHODS.enqueue.args);
const checkProgress = Compile(TASKS_METHODS.progress.args);
const checkLog = Compile(TASKS_METHODS.log.args);
/** Of one instance; the guest's kernel sends ten a second and run at most. */
const PROGRESS_PER_SECOND = 500;
const LINES_PER_SECOND = 500;

export function createTasksCapability(port: TaskPort): Capability {
  return ({ module }) => {
    const admitProgress = createGate(PROGRESS_PER_SECOND);
    const admitLine = createGate(LINES_PER_SECOND);
    let dropped = 0;
    return {
      async enqueue(...args) {
        if (!checkEnqueue.Check(args)) throw invalid(ENQUEUE_TAKES);
        const [{ task, data, delayMs }] = args;
        const { id } = await port.enqueue(module, task, rewrite(data), delayMs);
        return { id };
      },
      progress(...args) {
        if (!checkProgress.Check(args)) throw invalid(PROGRESS_TAKES);
        const [jobId, percent, note] = args;
        if (!admitProgress()) {
          throw new PlexiError('QUOTA_EXCEEDED', `tasks.progress: at most ${PROGRESS_PER_SECOND} a second.`);
        }
        port.progress(module, jobId, percent, note === undefined ? undefined : storableText(note));
      },
      log(...args) {
        if (!checkLog.Check(args)) throw invalid(LOG_TAKES);
        const [jobId, lines] = args;
        for (const line of lines) {
          if (!admitLine()) {
            dropped += 1;
            continue;
          }
          if (dropped > 0) {
            port.log(
              module,
              jobId,
              `${dropped} lines of the module were dropped: more than ${LINES_PER_SECOND} a second.`,
            );
            dropped = 0;
          }
          port.log(module, jobId, storableText(line));
        }
      },
    };
  };
}

const ENQUEUE_TAKES = `tasks.enqueue takes { task, data, delayMs }: the name of a task, JSON text of at most ${MAX_TASK_DATA} characters, whole milliseconds from 0 to ${MAX_TASK_DELAY}.`;
const PROGRESS_TAKES = `tasks.progress takes the id of a run, a number from 0 to 100 and perhaps a note of at most ${MAX_TASK_NOTE} characters.`;
const LOG_TAKES = `tasks.log takes the id of a run and 1 to ${MAX_TASK_LINES} lines of at most ${MAX_TASK_LINE} characters.`;

/** Boundary: what is stored and goes to other instances is JSON that this host wrote, never a guest's own text. */
function rewrite(text: string): string {
  if (nestsDeeperThan(text, MAX_TASK_DEPTH)) {
    throw invalid(`tasks.enqueue: the data nests deeper than ${MAX_TASK_DEPTH} levels.`);
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw invalid('tasks.enqueue: the data is not valid JSON.');
  }
  const written = JSON.stringify(data);
  // A short number may be a long one when it is written out (1e20), and so may a lone surrogate.
  if (written.length > MAX_TASK_DATA) {
    throw invalid(
      `tasks.enqueue: the data has ${written.length} characters as JSON, at most ${MAX_TASK_DATA} are allowed.`,
    );
  }
  return written;
}

/** Lets so many through in each second of the clock. */
function createGate(perSecond: number): () => boolean {
  let second = 0;
  let passed = 0;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      passed = 0;
    }
    passed += 1;
    return passed <= perSecond;
  };
}

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
