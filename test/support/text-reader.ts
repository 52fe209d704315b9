/** A stream of bytes as text that comes in pieces. */
export interface TextReader {
  /** Undefined at the end. */
  read(): Promise<string | undefined>;
  cancel(): Promise<void>;
}

export function textReader(stream: ReadableStream<Uint8Array>): TextReader {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  return {
    async read() {
      const { done, value } = await reader.read();
      return done ? undefined : decoder.decode(value, { stream: true });
    },
    cancel: () => reader.cancel(),
  };
}
