/** What one message to PGlite is answered, as it came. */
import type { PGlite } from '@electric-sql/pglite';

/**
 * Not `execProtocolRawSync` or `execProtocolRaw`: those parse all that they give and keep it, for as long as the database
 * lives, for a reader who never comes (PGlite 0.5.16; a busy queue grew by 100 kB a second). This one is asynchronous by
 * its type only: when nothing is to be synced it has done its work when it returns.
 * @param onBroken what PGlite threw, after the answer, which is empty or torn then
 */
export function createExchange(
  database: Pick<PGlite, 'execProtocolRawStream'>,
  onBroken: (error: unknown) => void,
): (message: Uint8Array) => Uint8Array {
  return (message) => {
    const pieces: Uint8Array[] = [];
    database
      .execProtocolRawStream(message, {
        syncToFs: false,
        // A view of the database's own memory, which changes.
        onRawData: (piece) => void pieces.push(piece.slice()),
      })
      .catch(onBroken);
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  };
}
