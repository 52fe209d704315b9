/** One call of a module on its way to its database and back: settled once, whatever ends it. */
import type { SqlAnswer } from '@plexichat/sdk/protocol/capabilities/db';
import { type ErrorCode, isErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { DataAnswer, DataRequest, DataWork } from '../bridge/data-words.ts';

export interface WorkItemOptions {
  readonly module: string;
  readonly work: DataWork;
  /** Epoch milliseconds: nobody waits for its turn after that. */
  readonly expires: number;
  readonly settle: (outcome: readonly SqlAnswer[] | PlexiError) => void;
}

export class WorkItem {
  readonly module: string;
  readonly work: DataWork;
  readonly expires: number;
  /** Characters that it holds while it waits. */
  readonly size: number;
  readonly #settle: WorkItemOptions['settle'];
  readonly #answers: SqlAnswer[] = [];
  #retried = false;
  #settled = false;

  constructor({ module, work, expires, settle }: WorkItemOptions) {
    this.module = module;
    this.work = work;
    this.expires = expires;
    this.size = work.op === 'run' ? sizeOf(work.statements) : 0;
    this.#settle = settle;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get retried(): boolean {
    return this.#retried;
  }

  /** May be carried out again when nobody knows how far it came. */
  get repeatable(): boolean {
    return this.work.op === 'open' || (this.work.op === 'run' && !this.work.inside);
  }

  toRequest(id: number): DataRequest {
    const { work, module } = this;
    if (work.op !== 'run') return { id, module, ...work };
    const statements = work.statements.slice(this.#answers.length);
    return { id, module, ...work, statements, retried: this.#retried };
  }

  /** Takes answers as they come. @returns false when they do not fit what was asked */
  take(isLast: boolean, answers: readonly DataAnswer[], results: readonly string[]): boolean {
    const expected = this.work.op === 'run' ? this.work.statements.length : 1;
    let next = 0;
    for (const answer of answers) {
      if (this.#answers.length >= expected) return false;
      const result = answer === 'result' ? results[next++] : '';
      if (result === undefined) return false;
      this.#answers.push(toAnswer(answer, result));
    }
    if (!isLast) return true;
    if (this.work.op === 'run' && this.#answers.length !== expected) return false;
    const [first] = this.#answers;
    if (this.work.op !== 'run' && first !== undefined && 'code' in first) this.fail(first.code, first.message);
    else this.#finish(this.#answers);
    return true;
  }

  retry(): void {
    this.#retried = true;
  }

  /** What has no answer yet fails; a call without any answer rejects. */
  fail(code: string, message: string): void {
    const known: ErrorCode = isErrorCode(code) ? code : 'INTERNAL';
    if (this.work.op !== 'run' || this.#answers.length === 0) {
      this.#finish(new PlexiError(known, message));
      return;
    }
    while (this.#answers.length < this.work.statements.length) this.#answers.push({ code: known, message });
    this.#finish(this.#answers);
  }

  #finish(outcome: readonly SqlAnswer[] | PlexiError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(outcome);
  }
}

function toAnswer(answer: DataAnswer, result: string): SqlAnswer {
  if (answer === 'result') return { result };
  if (answer === 'later') return { later: true };
  const [code, message] = answer;
  return { code, message };
}

function sizeOf(statements: Extract<DataWork, { op: 'run' }>['statements']): number {
  let size = 0;
  for (const { sql, params } of statements) {
    size += sql.length;
    for (const param of params) {
      size += 16;
      if (typeof param === 'string') size += param.length;
      else if (typeof param === 'object' && param !== null && 'b' in param) size += param.b.length;
    }
  }
  return size;
}
