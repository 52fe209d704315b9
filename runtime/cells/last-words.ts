/** Why a cell died, in one line: what V8 prints before an end has stacks and addresses of this machine around it. */
import { printable } from '../observability/printable.ts';

/** How V8 and Node begin what they die of. */
const FATAL = /^(?:FATAL ERROR: |Fatal |Check failed)/;
/** Rules, stacks, reports of the garbage collector: for who debugs V8. */
const FRAMEWORK = /^(?:-{3}|<-{2}|\d+: 0x|\[\d+:0x|Fatal error )/;
const MAX_CHARACTERS = 300;

/** @param noise what the process wrote to its standard error; empty when it said nothing that would help */
export function lastWords(noise: string): string {
  const lines = noise
    .split('\n')
    .map((line) => line.replace(/^#/, '').trim())
    .filter((line) => line !== '' && !FRAMEWORK.test(line));
  return printable((lines.find((line) => FATAL.test(line)) ?? lines[0] ?? '').slice(0, MAX_CHARACTERS));
}
