/** What the host answers about tasks, as this command reads it. Keys that a newer host adds are let through. */
import { type Static, Type } from 'typebox';

const Text = Type.String({ maxLength: 20_000 });
const Name = Type.String({ minLength: 1, maxLength: 200 });
const Moment = Type.String({ maxLength: 40 });
const Count = Type.Integer({ minimum: 0 });
/** Each is read by itself. */
const Rows = Type.Array(Type.Unknown(), { maxItems: 100_000 });
const orNull = <Schema extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Number>>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

export const TaskViewSchema = Type.Object({
  module: Name,
  task: Name,
  state: Type.Enum(['scheduled', 'paused', 'on_demand', 'idle', 'unknown']),
  schedule: orNull(Text),
  timezone: orNull(Text),
  next_at: orNull(Moment),
  paused: Type.Union([
    Type.Object({ by: Type.Enum(['operator', 'failures']), reason: Text, at: Type.Union([Moment, Type.Null()]) }),
    Type.Null(),
  ]),
  failures_in_a_row: Count,
  timeout_seconds: Type.Number({ minimum: 0 }),
  retry_count: Count,
  priority: Name,
  overlap: Name,
  missed: Name,
});
export type TaskAnswer = Static<typeof TaskViewSchema>;
export const TasksAnswerSchema = Type.Object({ tasks: Rows });

export const RunViewSchema = Type.Object({
  id: Name,
  state: Type.Enum(['waiting', 'delayed', 'active', 'completed', 'failed']),
  origin: Type.Enum(['schedule', 'module', 'operator']),
  slot: orNull(Moment),
  attempt: Count,
  attempts: Count,
  interruptions: Count,
  created_at: Moment,
  started_at: orNull(Moment),
  finished_at: orNull(Moment),
  due_at: orNull(Moment),
  progress: orNull(Type.Number()),
  note: orNull(Text),
  result: Type.Unknown(),
  skipped: orNull(Text),
  error: Type.Union([Type.Object({ code: Name, message: Text }), Type.Null()]),
  logs: Type.Array(Text),
});
export type RunAnswer = Static<typeof RunViewSchema>;
export const RunsAnswerSchema = Type.Object({ runs: Rows });

export const RunStartedSchema = Type.Object({ id: Name });
