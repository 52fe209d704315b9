/** The command in this process, with what it writes caught. */
import { vi } from 'vitest';
import { runCommandLine } from '../../runtime/cli/command-line.ts';

export interface PlexiRun {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export async function plexi(...args: string[]): Promise<PlexiRun> {
  let output = '';
  let errors = '';
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  try {
    const code = await runCommandLine(args);
    return { code, output, errors };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}
