/** multipart/form-data both ways: RFC 7578, names escaped as https://html.spec.whatwg.org/#multipart-form-data says. */
import { blobBytes, concat, File } from './blob.ts';
import { FormData } from './form-data.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';

/** Parts of one body; what arrives comes from a stranger. */
const MAX_PARTS = 10_000;
const CR = 13;
const LF = 10;
const DASH = 45;

export function encodeMultipart(form: FormData, boundary: string): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(normaliseBreaks(name))}"`;
    if (typeof value === 'string') {
      pieces.push(utf8Encode(`${head}\r\n\r\n${normaliseBreaks(value)}\r\n`));
      continue;
    }
    const type = value.type === '' ? 'application/octet-stream' : value.type;
    pieces.push(utf8Encode(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
    pieces.push(blobBytes(value), utf8Encode('\r\n'));
  }
  pieces.push(utf8Encode(`--${boundary}--\r\n`));
  return concat(pieces);
}

/** @throws TypeError that says where the body stops making sense */
export function decodeMultipart(bytes: Uint8Array, contentType: string): FormData {
  const boundary = readBoundary(contentType);
  const delimiter = utf8Encode(`--${boundary}`);
  const form = new FormData();
  let position = indexOf(bytes, delimiter, 0);
  if (position < 0) throw malformed(`the boundary "${boundary}" never comes`);
  for (let parts = 0; ; parts++) {
    if (parts > MAX_PARTS) throw malformed(`more than ${MAX_PARTS} parts`);
    position += delimiter.length;
    if (bytes[position] === DASH && bytes[position + 1] === DASH) return form;
    position = skipLineBreak(bytes, position);
    const headEnd = indexOf(bytes, HEAD_END, position);
    if (headEnd < 0) throw malformed('the headers of a part do not end');
    const head = utf8Decode(bytes.subarray(position, headEnd));
    const bodyStart = headEnd + HEAD_END.length;
    const next = indexOf(bytes, utf8Encode(`\r\n--${boundary}`), bodyStart);
    if (next < 0) throw malformed('the last boundary is missing');
    addPart(form, head, bytes.subarray(bodyStart, next));
    position = next + 2;
  }
}

const HEAD_END = utf8Encode('\r\n\r\n');

function addPart(form: FormData, head: string, body: Uint8Array): void {
  let disposition = '';
  let type: string | undefined;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (name === 'content-disposition') disposition = line.slice(colon + 1).trim();
    if (name === 'content-type') type = line.slice(colon + 1).trim();
  }
  const name = readQuoted(disposition, 'name');
  if (!/^form-data\b/i.test(disposition) || name === undefined) throw malformed('a part has no name');
  const filename = readQuoted(disposition, 'filename');
  if (filename === undefined) form.append(name, utf8Decode(body));
  else form.append(name, new File([body], filename, { type: type ?? 'text/plain' }));
}

function readBoundary(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw malformed('the Content-Type names no boundary');
  return boundary;
}

function readQuoted(disposition: string, key: string): string | undefined {
  const value = new RegExp(`;\\s*${key}="([^"]*)"`, 'i').exec(disposition)?.[1];
  return value?.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"');
}

function skipLineBreak(bytes: Uint8Array, position: number): number {
  if (bytes[position] === CR && bytes[position + 1] === LF) return position + 2;
  throw malformed('a boundary is not followed by a line break');
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}

function escapeName(name: string): string {
  return name.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}

function normaliseBreaks(text: string): string {
  return text.replace(/\r\n?|\n/g, '\r\n');
}

function malformed(why: string): TypeError {
  return new TypeError(`The body is not valid multipart/form-data: ${why}.`);
}
