/** Runs the statements of one request, and tells how far it is before the next one can take its time. */
import { SqlError } from '@plexichat/sdk/database/sql-error';
import { MAX_RESULT } from '@plexichat/sdk/protocol/database-limits';
import type { DataAnswer, DataRequest } from '../bridge/data-words.ts';
import type { DatabaseFiles } from './database-files.ts';

/** The host must be able to tell who holds everybody up. */
const TELL_MS = 20;

type Run = Extract<DataRequest, { op: 'run' }>;
type Tell = (isLast: boolean, answers: readonly DataAnswer[], results: readonly string[]) => void;

export function runStatements(files: DatabaseFiles, request: Run, tell: Tell): void {
  let answers: DataAnswer[] = [];
  let results: string[] = [];
  let characters = 0;
  let toldAt = performance.now();
  for (const statement of request.statements) {
    if (performance.now() - toldAt > TELL_MS) {
      tell(false, answers, results);
      answers = [];
      results = [];
      toldAt = performance.now();
    }
    if (characters >= MAX_RESULT) {
      answers.push('later');
      continue;
    }
    const failure = files.attempt(request.module, () => {
      const result = runOne(files, request, statement);
      results.push(result);
      characters += result.length;
    });
    answers.push(failure ?? 'result');
  }
  tell(true, answers, results);
}

function runOne(files: DatabaseFiles, { module, inside, retried }: Run, statement: Run['statements'][number]): string {
  const database = files.of(module);
  // Boundary: some failures roll a transaction back by themselves; what comes then must not be carried out alone.
  if (inside && !database.isInTransaction) {
    throw new SqlError('DATABASE_ERROR', 'The transaction was rolled back by the failure of an earlier statement.');
  }
  return database.run(statement, retried);
}
