/** How large what a module shows of itself may be, for both sides. */

/** Characters of a label. */
export const MAX_DEBUG_LABEL = 100;
/** Characters of the locals of a breakpoint, and of a state that is logged, as JSON text. */
export const MAX_DEBUG_VALUE = 16 * 1024;
/** Milliseconds that a breakpoint waits for the operator at most. */
export const MAX_BREAKPOINT_MS = 60_000;
