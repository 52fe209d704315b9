/** Every abuse that the suite, the soak and the bench put a host through. */
import type { Abuse } from './abuse.ts';
import { ANSWERS } from './abuse-answers.ts';
import { FLOODS } from './abuse-floods.ts';
import { LIFE } from './abuse-life.ts';
import { LOOPS } from './abuse-loops.ts';
import { MEMORY } from './abuse-memory.ts';

export type { Abuse, AbuseRequest } from './abuse.ts';

export const ABUSES: readonly Abuse[] = [...LOOPS, ...MEMORY, ...FLOODS, ...ANSWERS, ...LIFE];
