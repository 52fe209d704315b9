/** Moments as people read them: how far away, and when by the clock of this machine. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @example showMoment('2026-05-01T14:05:00.000Z', now) // "in 4 min (14:05)" */
export function showMoment(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return `${relative(at.getTime() - now.getTime())} (${clock(at, now)})`;
}

/** @example showDuration(83_000) // "1 min 23 s" */
export function showDuration(ms: number): string {
  if (!(ms >= 0)) return '';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, 'min', SECOND, 's');
  return pair(ms, HOUR, 'h', MINUTE, 'min');
}

/** The time of the day by the clock of this machine, to the millisecond. @example showClock('2026-05-01T14:05:00.000Z') */
export function showClock(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const seconds = `${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}:${seconds}`;
}

function relative(ms: number): string {
  const far = Math.abs(ms);
  if (far < SECOND) return 'now';
  const words = coarse(far);
  return ms > 0 ? `in ${words}` : `${words} ago`;
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

function clock(at: Date, now: Date): string {
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

function pair(ms: number, large: number, largeWord: string, small: number, smallWord: string): string {
  const rest = Math.floor((ms % large) / small);
  const whole = `${Math.floor(ms / large)} ${largeWord}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallWord}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
