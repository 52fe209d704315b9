/** Bytes to a host as they are, and what comes back, read strictly: nothing may be left over. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawExchange {
  readonly text: string;
  /** Throws when the text is not made of whole answers. */
  readonly answers: readonly RawAnswer[];
  /** The host closed; else the time was up. */
  readonly isClosed: boolean;
}

export interface RawOptions {
  /** How long a connection that the host keeps open is listened to once it has begun to answer. */
  readonly quietMs?: number;
}

const FIRST_BYTE_MS = 20_000;

/** Our side stays open: whether the connection ends is the host's doing. */
export function exchange(
  port: number,
  bytes: string | Buffer,
  { quietMs = 700 }: RawOptions = {},
): Promise<RawExchange> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    let text = '';
    let isClosed = true;
    const stop = () => {
      isClosed = false;
      socket.destroy();
    };
    let quiet = setTimeout(stop, FIRST_BYTE_MS);
    socket.on('connect', () => socket.write(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      clearTimeout(quiet);
      quiet = setTimeout(stop, quietMs);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(quiet);
      resolve({
        text,
        isClosed,
        get answers() {
          return readAnswers(text);
        },
      });
    });
  });
}

/** A connection that a test drives by hand. @param allowHalfOpen goes on sending when the host has ended its side */
export function dial(
  port: number,
  allowHalfOpen = false,
): { socket: Socket; received: () => string; closed: Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, received: () => text, closed };
}

/** @throws Error when the bytes are not answers with a Content-Length or in chunks, one after the other */
export function readAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (end === -1 || Number.isNaN(status)) throw new Error(`This is no answer: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers = readHeaders(lines);
    const { body, length } = readBody(rest.slice(end + 4), status, headers);
    rest = rest.slice(end + 4 + length);
    if (status >= 200) answers.push({ status, headers, body });
  }
  return answers;
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\r\n\0]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`This is no header: ${JSON.stringify(line)}`);
    const key = name.toLowerCase();
    if (key in headers) throw new Error(`The header ${key} is there twice.`);
    headers[key] = value;
  }
  return headers;
}

function readBody(rest: string, status: number, headers: Record<string, string>): { body: string; length: number } {
  if (status < 200 || status === 204 || status === 304) return { body: '', length: 0 };
  if (headers['transfer-encoding'] === 'chunked') return readChunks(rest);
  const length = Number(headers['content-length']);
  if (rest.length < length) throw new Error(`The body has ${rest.length} of ${length} bytes.`);
  return { body: rest.slice(0, length), length };
}

function readChunks(rest: string): { body: string; length: number } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = rest.indexOf('\r\n', at);
    const size = line === -1 ? Number.NaN : Number.parseInt(rest.slice(at, line), 16);
    if (Number.isNaN(size)) throw new Error('The chunks are cut off.');
    at = line + 2 + size + 2;
    if (size === 0) return { body, length: at };
    body += rest.slice(line + 2, line + 2 + size);
  }
}
