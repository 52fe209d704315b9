/** Breakpoints in tests stop nobody: what they showed is kept. */
import type { BreakpointRequest } from '../protocol/capabilities/debug.ts';

export interface PassedBreakpoint {
  readonly label: string;
  readonly locals: unknown;
}

export interface FakeDebug {
  readonly passed: readonly PassedBreakpoint[];
  readonly breakpoint: (request: BreakpointRequest, locals: unknown) => void;
}

export function createFakeDebug(): FakeDebug {
  const passed: PassedBreakpoint[] = [];
  return {
    passed,
    breakpoint({ label }, locals) {
      passed.push({ label, locals: JSON.parse(JSON.stringify(locals)) as unknown });
    },
  };
}
