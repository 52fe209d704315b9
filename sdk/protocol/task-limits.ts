/**
 * How large the parts of a run may be, for both sides. Apart from the schemas: the guest needs the numbers, and with a
 * schema it would load typebox for every module.
 */

/** Characters of the JSON text of a run's data. */
export const MAX_TASK_DATA = 64 * 1024;
/** Characters of the JSON text that a run keeps of what its handler returned. */
export const MAX_TASK_RESULT = 16_000;
/** Levels of lists and objects in what a run is given and gives back: with its frame it still fits the bridge. */
export const MAX_TASK_DEPTH = 60;
/** Milliseconds: 30 days. */
export const MAX_TASK_DELAY = 30 * 24 * 60 * 60 * 1000;
/** Characters of a word on the progress of a run. */
export const MAX_TASK_NOTE = 500;
/** Characters of a line in the log of a run. */
export const MAX_TASK_LINE = 2000;
/** Lines of one call; a run that says more makes several. */
export const MAX_TASK_LINES = 100;
