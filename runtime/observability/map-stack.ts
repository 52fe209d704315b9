/** A module's stack, said in the author's own files instead of the bundle. */
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/** @param map the bundle's source map as JSON */
export function mapStack(stack: string, map: string): string {
  const trace = new TraceMap(map);
  return stack.replace(/module\.js:(\d+):(\d+)/g, (place, line: string, column: string) => {
    const original = originalPositionFor(trace, { line: Number(line), column: Number(column) - 1 });
    return original.source === null ? place : `${original.source}:${original.line}:${original.column + 1}`;
  });
}
