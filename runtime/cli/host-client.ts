/** Asks a host something over HTTP. The other end could be anything: its answers are bounded, and checked before use. */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { HostAccess } from './host-access.ts';
import { refusal } from './host-refusal.ts';
import { parseJsonOrNothing } from './parse-json.ts';
import { HostError } from './user-error.ts';

export interface HostRequest<Schema extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query; starts with a slash. */
  readonly path: string;
  /** JSON text, or bytes that are sent in pieces. */
  readonly body?: string | SentBytes | undefined;
  /** For the whole of it. */
  readonly deadlineMs?: number;
  readonly answer: Schema;
}

export interface SentBytes {
  readonly type: string;
  readonly stream: ReadableStream<Uint8Array>;
}

export interface HostAnswer<Value> {
  readonly value: Value;
  /** As it came. */
  readonly text: string;
}

const DEADLINE_MS = 15_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** @throws UserError when the host refuses the request (4xx), HostError when it cannot be reached or fails */
export async function askHost<Schema extends TSchema>(
  access: HostAccess,
  request: HostRequest<Schema>,
): Promise<HostAnswer<Static<Schema>>> {
  const { status, text } = await send(access, request);
  if (status < 200 || status > 299) throw refusal(status, text, access);
  // No content is an answer too; its schema says whether it is the right one.
  const value = parseJsonOrNothing(text);
  const check = Compile(request.answer);
  if (check.Check(value)) return { value, text };
  throw new HostError(`${access.url} answered something that this command does not understand${whatIsWrong()}.`);

  function whatIsWrong(): string {
    const [first] = value === undefined ? [] : check.Errors(value);
    return first === undefined ? '' : `: ${first.instancePath.slice(0, 100)} ${first.message}`;
  }
}

async function send({ url, token }: HostAccess, request: HostRequest<TSchema>) {
  const { method, path, body, deadlineMs = DEADLINE_MS } = request;
  const isText = typeof body === 'string';
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': isText ? 'application/json' : body.type }),
  };
  try {
    const response = await fetch(url + path, {
      method,
      headers,
      body: body === undefined || isText ? (body ?? null) : body.stream,
      duplex: 'half',
      // Boundary: the token is for this address; where a redirect leads is somebody else's choice.
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status: response.status, text: await readBounded(response) };
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(`${url} cannot be reached: ${reasonOf(error, deadlineMs)}. Does the host run there?`);
  }
}

/** @throws HostError when it is too long */
export async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new HostError(`The answer has more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'there is no such host name',
  EAI_AGAIN: 'the host name cannot be looked up now',
};

function reasonOf(error: unknown, deadlineMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${deadlineMs / 1000} s`;
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  const code = cause?.code ?? '';
  return (Object.hasOwn(REASONS, code) ? REASONS[code] : undefined) ?? (code || 'it speaks no HTTP');
}
