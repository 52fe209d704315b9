/** `plexi tasks`: what the tasks of a running host do, and running, pausing, resuming them. */
import { Command, InvalidArgumentError } from 'commander';
import { isTaskName, MAX_RUNS } from '../management/task-input.ts';
import { askAndShow } from './ask-and-show.ts';
import { type HostFlags, withHostOptions } from './host-access.ts';
import { oneLine } from './lines.ts';
import { readRows } from './read-rows.ts';
import { readRunInput } from './run-input.ts';
import { showRuns, showTasks } from './show-tasks.ts';
import {
  RunStartedSchema,
  RunsAnswerSchema,
  RunViewSchema,
  type TaskAnswer,
  TasksAnswerSchema,
  TaskViewSchema,
} from './task-answers.ts';
import { UserError } from './user-error.ts';
import { WHICH_HOST } from './which-host.ts';

export function tasksCommand(): Command {
  const tasks = new Command('tasks')
    .description('See and steer the tasks of a running host.')
    .addHelpText('after', `\nExamples:\n${EXAMPLES.join('\n')}\n${WHICH_HOST}`);
  for (const command of [listCommand(), runsCommand(), runCommand(), pauseCommand(), resumeCommand()]) {
    tasks.addCommand(withHostOptions(command).addHelpText('after', WHICH_HOST));
  }
  return tasks;
}

const EXAMPLES = [
  '  $ plexi tasks list --module weather',
  '  $ plexi tasks runs weather refresh --limit 5',
  '  $ plexi tasks run weather refresh --input \'{"city": "Oslo"}\'',
  "  $ plexi tasks pause weather refresh --reason 'the API is down until noon'",
  '  $ plexi tasks resume weather refresh',
] as const;

function example(index: number): string {
  return `\nExample:\n${EXAMPLES[index] ?? ''}`;
}

function listCommand(): Command {
  return new Command('list')
    .description('Show the tasks, their schedules and when they run next.')
    .option('--module <name>', 'only the tasks of this module')
    .addHelpText('after', example(0))
    .action(async ({ module, ...flags }: HostFlags & { module?: string }) => {
      const query = module === undefined ? '' : `?module=${encodeURIComponent(module)}`;
      const request = { method: 'GET', path: `/api/v1/tasks${query}`, answer: TasksAnswerSchema } as const;
      await askAndShow(flags, request, ({ tasks }) => {
        const { rows, note } = readRows('tasks', tasks, TaskViewSchema);
        if (rows.length > 0) return showTasks(rows, new Date()) + note;
        return module === undefined
          ? 'No module of this host has tasks.\n'
          : `No task of a module ${module} is here.\n`;
      });
    });
}

function runsCommand(): Command {
  return taskCommand('runs')
    .description('Show the last runs of a task, newest first.')
    .option('--limit <number>', `at most so many, 1 to ${MAX_RUNS}`, readLimit, 20)
    .addHelpText('after', example(1))
    .action(async (module: string, task: string, { limit, ...flags }: HostFlags & { limit: number }) => {
      const path = `${pathOf(module, task)}/runs?limit=${limit}`;
      await askAndShow(flags, { method: 'GET', path, answer: RunsAnswerSchema }, ({ runs }) => {
        const { rows, note } = readRows('runs', runs, RunViewSchema);
        return rows.length > 0 ? showRuns(rows, new Date()) + note : `${module} ${task} has no runs yet.\n`;
      });
    });
}

function runCommand(): Command {
  return taskCommand('run')
    .description('Run a task once, now, also when it is paused.')
    .option('--input <json>', 'the data of the run, as JSON; - reads it from standard input')
    .addHelpText('after', example(2))
    .action(async (module: string, task: string, { input, ...flags }: HostFlags & { input?: string }) => {
      const path = `${pathOf(module, task)}/run`;
      const body = await readRunInput(input);
      await askAndShow(flags, { method: 'POST', path, body, answer: RunStartedSchema }, ({ id }) => {
        return `Run ${oneLine(id)} is on its way. To see how it goes: plexi tasks runs ${module} ${task}\n`;
      });
    });
}

function pauseCommand(): Command {
  return taskCommand('pause')
    .description('Stop the schedule of a task; runs that are asked for go on.')
    .option('--reason <text>', 'why, for others to read; up to 300 characters')
    .addHelpText('after', example(3))
    .action(async (module: string, task: string, { reason, ...flags }: HostFlags & { reason?: string }) => {
      const body = reason === undefined ? undefined : JSON.stringify({ reason });
      const path = `${pathOf(module, task)}/pause`;
      await askAndShow(flags, { method: 'POST', path, body, answer: TaskViewSchema }, showOne);
    });
}

function resumeCommand(): Command {
  return taskCommand('resume')
    .description('Let the schedule of a paused task go on.')
    .addHelpText('after', example(4))
    .action(async (module: string, task: string, flags: HostFlags) => {
      const path = `${pathOf(module, task)}/resume`;
      await askAndShow(flags, { method: 'POST', path, answer: TaskViewSchema }, showOne);
    });
}

function taskCommand(name: string): Command {
  return new Command(name).argument('<module>', 'the name of the module').argument('<task>', 'the name of the task');
}

function showOne(task: TaskAnswer): string {
  return showTasks([task], new Date());
}

/** Boundary: a name is a step of the path, so `..` and slashes never get that far. */
function pathOf(module: string, task: string): string {
  if (isTaskName({ module, task })) return `/api/v1/tasks/${module}/${task}`;
  const names = `${JSON.stringify(module)} ${JSON.stringify(task)}`;
  throw new UserError(`${names}: no task can have that name; "plexi tasks list" shows those there are.`);
}

function readLimit(text: string): number {
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_RUNS) return limit;
  throw new InvalidArgumentError(`Allowed is a whole number from 1 to ${MAX_RUNS}.`);
}
