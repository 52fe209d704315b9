/** A module's stack, said in the author's own files instead of the bundle. */
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/**
 * Boundary: the stack is the guest's word. Whatever it says, this gives a text back and does not throw.
 * @param map the bundle's source map as JSON
 */
export function mapStack(stack: string, map: string): string {
  let trace: TraceMap;
  try {
    trace = new TraceMap(map);
  } catch {
    return stack;
  }
  return stack.replace(/module\.js:(\d{1,7}):(\d{1,7})/g, (place, line: string, column: string) => {
    const position = { line: Number(line), column: Number(column) - 1 };
    if (position.line < 1 || position.column < 0) return place;
    const original = originalPositionFor(trace, position);
    return original.source === null ? place : `${original.source}:${original.line}:${original.column + 1}`;
  });
}
