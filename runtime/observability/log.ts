/** The host's log: JSON lines for machines, readable lines on a terminal. */
import { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

export interface LogOptions {
  readonly level: string;
  /** Readable lines instead of JSON. */
  readonly readable: boolean;
  readonly destination?: DestinationStream;
}

/** Whatever is logged under these names is not written. */
const REDACTED = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  '*.authorization',
  '*.cookie',
  '*.token',
  '*.secret',
];

export function createLog({ level, readable, destination }: LogOptions): Logger {
  const options = { level, base: null, redact: { paths: REDACTED, censor: '***' } };
  return pino(options, readable ? readableStream(destination) : (destination ?? pino.destination(1)));
}

function readableStream(destination: DestinationStream | undefined): DestinationStream {
  const stream = pretty({
    colorize: process.stdout.isTTY === true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    sync: true,
    ...(destination === undefined ? {} : { destination: asWritable(destination) }),
  });
  return { write: (line) => void stream.write(withoutControls(line)) };
}

function asWritable(destination: DestinationStream): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      destination.write(String(chunk));
      done();
    },
  });
}

const CONTROLS = /\\\\|\\u00(?:[01][0-9a-f]|7f)|\\[bfr]|[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Boundary: whatever a module's words are part of (errors, fields) goes to a terminal; only our colours steer it. */
function withoutControls(json: string): string {
  return json.replace(CONTROLS, (found) => (found === '\\\\' ? found : '\ufffd'));
}
