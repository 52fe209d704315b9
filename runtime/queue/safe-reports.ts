/**
 * What a consumer reports of a run is always taken. PostgreSQL refuses NUL and lone surrogates, and a report that is
 * refused would leave its run active: BullMQ drops that error, so the run would stall and be run again for ever. Here,
 * and not in the parameters of statements, it is known what is JSON and what is text. What producers put in is refused
 * instead: they are there to hear it, and their data has to stay what it was.
 */
import type { BackendFactory, IQueueBackend } from 'bullmq';
import { storableJson, storableText, storableValue } from './storable.ts';

export function withSafeReports<Connection>(
  factory: BackendFactory<IQueueBackend, Connection>,
): BackendFactory<IQueueBackend, Connection> {
  return (name, options, parts) => {
    const backend = factory(name, options, parts);
    const { moveToCompleted, moveToFailed, moveToDelayed, retryJob, updateProgress, addLog } = backend;
    const reports: Partial<IQueueBackend> = {
      moveToCompleted: (job, value, ...rest) => moveToCompleted.call(backend, job, storableValue(value), ...rest),
      moveToFailed: (job, reason, remove, token, fetchNext, fields) =>
        moveToFailed.call(backend, job, storable(reason), remove, token, fetchNext, fields && storableFields(fields)),
      moveToDelayed: (id, timestamp, delay, token, more) =>
        moveToDelayed.call(backend, id, timestamp, delay, token, more && storableIn(more)),
      retryJob: (id, lifo, token, more) => retryJob.call(backend, id, lifo, token, more && storableIn(more)),
      updateProgress: (id, progress) => updateProgress.call(backend, id, storableValue(progress)),
      addLog: (id, row, keep) => addLog.call(backend, id, storableText(row), keep),
    };
    return Object.assign(backend, reports);
  };
}

type Fields = Record<string, unknown>;

function storableIn<More extends { fieldsToUpdate?: Fields }>(more: More): More {
  return more.fieldsToUpdate ? { ...more, fieldsToUpdate: storableFields(more.fieldsToUpdate) } : more;
}

/** Why it failed is text; where it failed is JSON. */
function storableFields(fields: Fields): Fields {
  const { failedReason, stacktrace } = fields;
  return {
    ...fields,
    ...(typeof failedReason === 'string' ? { failedReason: storableText(failedReason) } : {}),
    ...(typeof stacktrace === 'string' ? { stacktrace: storableJson(stacktrace) } : {}),
  };
}

/** A thrown value may have a message that is no text. */
function storable(reason: unknown): string {
  return typeof reason === 'string' ? storableText(reason) : (reason as string);
}
