/** `format` of a guest's schema: an allow-list of checks that run in linear time on bounded strings. */
import {
  IsDate,
  IsDateTime,
  IsDuration,
  IsEmail,
  IsHostname,
  IsIPv4,
  IsIPv6,
  IsTime,
  IsUrl,
  IsUuid,
} from 'typebox/format';

export interface StringFormat {
  readonly name: string;
  /** For messages: "must be …". */
  readonly words: string;
  test(text: string): boolean;
}

const MAX_LENGTH = 2048;

const FORMATS = new Map<string, StringFormat>(
  [
    format('date-time', 'a date and time like 2030-01-31T12:00:00Z', IsDateTime, 64),
    format('date', 'a date like 2030-01-31', IsDate, 10),
    format('time', 'a time like 12:00:00Z', (text) => IsTime(text), 40),
    format('duration', 'a duration like P1DT2H', IsDuration, 64),
    format('email', 'an e-mail address', IsEmail, 320),
    format('hostname', 'a host name', IsHostname, 253),
    format('ipv4', 'an IPv4 address', IsIPv4, 15),
    format('ipv6', 'an IPv6 address', IsIPv6, 45),
    // RFC 3986 by grammar backtracks; the WHATWG parser does not, and it is what will use the value.
    format('uri', 'an absolute URL', IsUrl, MAX_LENGTH),
    format('url', 'an absolute URL', IsUrl, MAX_LENGTH),
    format('uuid', 'a UUID', IsUuid, 36),
  ].map((entry) => [entry.name, entry]),
);

export function findFormat(name: string): StringFormat | undefined {
  return FORMATS.get(name);
}

export const FORMAT_NAMES: readonly string[] = [...FORMATS.keys()];

function format(name: string, words: string, test: (text: string) => boolean, maxLength: number): StringFormat {
  return { name, words, test: (text) => text.length <= maxLength && test(text) };
}
