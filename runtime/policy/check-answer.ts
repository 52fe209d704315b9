/** Step: check the answer. A module's words become ours only here: status, headers, body, and the headers that we add. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Body, type ModuleAnswer, ModuleHttpError } from '../modules/served-module.ts';
import { type Check, createCheckRun, TooMuchWorkError } from './check.ts';
import { type Patience, waitFor } from './patience.ts';
import { BadAnswerError, type HeaderRecord, readAnswerHeaders } from './response-headers.ts';

/** Ready for a client. */
export interface CheckedAnswer {
  readonly status: number;
  readonly headers: HeaderRecord;
  readonly body: string | ReadableStream<Uint8Array> | null;
}

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;|$)/i;
const UNRENDERED =
  /^(?:application\/(?:json|problem\+json|octet-stream)|text\/(?:plain|event-stream|css|csv))\s*(?:;|$)/i;
/** Boundary: whatever a module sends that a browser might render runs in no origin at all. */
const SANDBOX = 'sandbox allow-scripts allow-forms';

export interface AnswerRules {
  readonly response: Check | undefined;
  /** A JSON stream is held up to here, when a response schema is declared. */
  readonly maxCheckedBytes: number;
}

/**
 * Answers at once, except for a JSON stream that has to be read before it can be checked.
 * @throws PlexiError INVALID_MODULE_RESPONSE, MODULE_TIMEOUT, CLIENT_CLOSED
 */
export function checkAnswer(
  answer: ModuleAnswer,
  rules: AnswerRules,
  patience: Patience,
): CheckedAnswer | Promise<CheckedAnswer> {
  try {
    const headers = answerHeaders(answer);
    const { status, body } = answer;
    if (hasNoBody(status)) {
      discard(body);
      return { status, headers, body: null };
    }
    if (rules.response !== undefined && status < 300 && isJson(headers)) {
      if (body.kind === 'stream') return checkStream(answer, headers, body.stream, rules, patience);
      checkJson(body.kind === 'text' ? body.text : '', rules.response);
    }
    return { status, headers, body: bodyOf(body) };
  } catch (error) {
    discard(answer.body);
    throw invalidAnswer(error);
  }
}

/** The same for a module's HttpError: the headers that it adds pass the same list, and it has no say about the body. */
export function checkRefusal(error: unknown): unknown {
  if (!(error instanceof ModuleHttpError) || error.moduleHeaders.length === 0) return error;
  try {
    const { 'content-type': _type, ...headers } = readAnswerHeaders(error.moduleHeaders, {});
    return new PlexiError(error.code, error.message, { status: error.status, headers, cause: error });
  } catch (broken) {
    return invalidAnswer(broken);
  }
}

export function discard(body: Body): void {
  if (body.kind === 'stream' && !body.stream.locked) body.stream.cancel().catch(() => {});
}

function answerHeaders({ status, headers: pairs, body }: ModuleAnswer): HeaderRecord {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new BadAnswerError(`The status ${status} is not between 200 and 599.`);
  }
  const headers = readAnswerHeaders(pairs, { 'x-content-type-options': 'nosniff' });
  const type = headers['content-type'];
  if (type === undefined) {
    if (body.kind !== 'none' && !hasNoBody(status)) headers['content-type'] = 'application/octet-stream';
  } else if (type !== 'application/json' && !UNRENDERED.test(type)) {
    headers['content-security-policy'] = SANDBOX;
    headers['referrer-policy'] = 'no-referrer';
  }
  return headers;
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function isJson(headers: HeaderRecord): boolean {
  const type = headers['content-type'];
  return type !== undefined && (type === 'application/json' || JSON_TYPE.test(type));
}

function bodyOf(body: Body): CheckedAnswer['body'] {
  if (body.kind === 'text') return body.text;
  return body.kind === 'stream' ? body.stream : null;
}

function checkJson(text: string, check: Check): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadAnswerError('The answer says it is JSON, but is not.');
  }
  const run = createCheckRun();
  if (check(value, run)) return;
  check(value, run, '');
  const issues = run.issues.map(({ path, message }) => `${path || '/'} ${message}`).join('; ');
  throw new BadAnswerError(`The answer does not match the response schema: ${issues}.`);
}

async function checkStream(
  { status }: ModuleAnswer,
  headers: HeaderRecord,
  stream: ReadableStream<Uint8Array>,
  { response, maxCheckedBytes }: AnswerRules,
  patience: Patience,
): Promise<CheckedAnswer> {
  const reader = stream.getReader();
  const giveUp = () => void reader.cancel().catch(() => {});
  try {
    // Boundary: a module that never ends its answer keeps nobody waiting past the deadline.
    const text = await waitFor(readText(reader, maxCheckedBytes), patience, giveUp);
    if (response !== undefined) checkJson(text, response);
    return { status, headers, body: text };
  } catch (error) {
    giveUp();
    throw invalidAnswer(error);
  }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.byteLength;
    if (bytes > maxBytes) throw new BadAnswerError('The answer is too large to be checked against its schema.');
    chunks.push(next.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function invalidAnswer(error: unknown): unknown {
  if (!(error instanceof BadAnswerError || error instanceof TooMuchWorkError || error instanceof RangeError))
    return error;
  // The detail is for the operator's log; the client's problem is always the same sentence.
  return new PlexiError('INVALID_MODULE_RESPONSE', error.message, { cause: error });
}
