/** JSON of strangers: bounded, UTF-8, each key once. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns the value; nothing when it is no such JSON */
export function readStrictJson(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.length > maxBytes) return undefined;
  try {
    const text = UTF8.decode(bytes);
    const value: unknown = JSON.parse(text);
    // Boundary: of two equal keys another reader may believe the other one. Written again it is shorter then.
    return sameWithoutSpace(text, JSON.stringify(value)) ? value : undefined;
  } catch {
    return undefined;
  }
}

function sameWithoutSpace(text: string, written: string): boolean {
  return text.replace(/\s+/g, '') === written.replace(/\s+/g, '');
}
