/** The host's log: JSON lines for machines, readable lines on a terminal. */
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
  const readableStream = (): DestinationStream =>
    pretty({
      colorize: process.stdout.isTTY === true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
      singleLine: true,
      sync: true,
    });
  return pino(options, destination ?? (readable ? readableStream() : pino.destination(1)));
}
