/** What is said again and again, told once and then at most every so often. */

const MAX_REMEMBERED = 100;

/** Answers whether a message is worth telling now; what it says yes to counts as told. */
export function createRepeatFilter(everyMs: number): (message: string) => boolean {
  const toldAt = new Map<string, number>();
  return (message) => {
    const now = performance.now();
    const last = toldAt.get(message);
    if (last !== undefined && now - last < everyMs) return false;
    if (toldAt.size >= MAX_REMEMBERED) toldAt.clear();
    toldAt.set(message, now);
    return true;
  };
}

/** The same fault has other times, processes and places in its words each time. */
export function withoutNumbers(message: string): string {
  return message.replace(/\d+/g, '#');
}
