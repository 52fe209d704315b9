/** What the system says of processes: their children, environment, working directory. Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export function isRunning(processId: number): boolean {
  try {
    // A zombie has ended; whoever started it has not asked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${processId}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export function childrenOf(processId: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]) === processId;
      } catch {
        return false;
      }
    });
}

/** Processor time so far, all threads; in ticks of a hundredth of a second. */
export function ticksOf(processId: number): number {
  const [, rest = ''] = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

export function environmentOf(processId: number): string {
  return readFileSync(`/proc/${processId}/environ`, 'utf8');
}

export function commandLineOf(processId: number): string {
  return readFileSync(`/proc/${processId}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

export function workingDirectoryOf(processId: number): string {
  return readlinkSync(`/proc/${processId}/cwd`);
}

/** What its descriptors lead to: `socket`, `pipe`, a path. */
export function descriptorsOf(processId: number): string[] {
  const folder = `/proc/${processId}/fd`;
  return readdirSync(folder).flatMap((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`);
    } catch {
      return [];
    }
  });
}
