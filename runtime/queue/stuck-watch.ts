/** Notices that a thread hangs: the request that it has had for longest is still the same after many looks. */

const LOOK_MS = 5000;
const STUCK_LOOKS = 6;

/**
 * Looks are counted, not time, and one that comes far too late counts for nothing: a machine that slept, or a host that
 * was busy itself, has given the thread no chance to answer.
 * @param oldest the number of the request that waits longest, or nothing
 */
export function watchForStuck(
  oldest: () => number | undefined,
  onStuck: (afterMs: number) => void,
  now: () => number = () => performance.now(),
): () => void {
  let seen: number | undefined;
  let looks = 0;
  let lastLook = now();
  const watch = setInterval(() => {
    const passed = now() - lastLook;
    lastLook += passed;
    const current = oldest();
    const isSame = current !== undefined && current === seen && passed < 2 * LOOK_MS;
    looks = isSame ? looks + 1 : 0;
    seen = current;
    if (looks >= STUCK_LOOKS) onStuck(STUCK_LOOKS * LOOK_MS);
  }, LOOK_MS);
  watch.unref();
  return () => clearInterval(watch);
}
