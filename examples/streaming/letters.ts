const ALPHABET = new TextEncoder().encode('abcdefghijklmnopqrstuvwxyz'.repeat(2_500));

interface LetterEvents {
  readonly onSent: (bytes: number) => void;
  /** Called once, whichever side ends it. */
  readonly onEnd: () => void;
}

/** The alphabet again and again. A piece is made when the client has room for it: a slow client costs no memory. */
export function letters(size: number, { onSent, onEnd }: LetterEvents): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const piece = ALPHABET.slice(0, left);
      controller.enqueue(piece);
      left -= piece.byteLength;
      onSent(piece.byteLength);
      if (left > 0) return;
      controller.close();
      onEnd();
    },
    cancel: onEnd,
  });
}
