import { describe, expect, it } from 'vitest';
import { AT_REST, assertTransition, edgesOf } from '../../runtime/modules/lifecycle.ts';
import { MODULE_STATES, type ModuleState } from '../../runtime/modules/served-module.ts';

function mayFollow(from: ModuleState): ModuleState[] {
  return MODULE_STATES.filter((to) => {
    try {
      assertTransition('demo', from, to);
      return true;
    } catch {
      return false;
    }
  });
}

/** By its own doing, or when a fresh module takes its place. */
function next(from: ModuleState): readonly ModuleState[] {
  const { own, place } = edgesOf(from);
  return [...own, ...place];
}

function reach(from: ModuleState): ReadonlySet<ModuleState> {
  const reached = new Set([from]);
  for (const state of reached) for (const to of next(state)) reached.add(to);
  return reached;
}

describe('the states of a module', () => {
  it('lead from boot to running, to sleep and back', () => {
    for (const [from, to] of [
      ['sleeping', 'starting'],
      ['starting', 'running'],
      ['running', 'draining'],
      ['draining', 'sleeping'],
      ['draining', 'stopped'],
      ['running', 'crashed'],
      ['crashed', 'starting'],
      ['crashed', 'parked'],
    ] as const) {
      expect(mayFollow(from), from).toContain(to);
    }
  });

  it('never run a module that has not started', () => {
    const before = MODULE_STATES.filter((from) => mayFollow(from).includes('running'));
    expect(before.sort()).toEqual(['starting', 'upgrade_pending']);
  });

  it('never start one that is disabled, waits for a permission or failed', () => {
    for (const from of ['disabled', 'installed', 'failed'] as const) expect(mayFollow(from)).toEqual([]);
  });

  it('are all reached from installed', () => {
    expect([...reach('installed')].sort()).toEqual([...MODULE_STATES].sort());
  });

  it('have a way to running again, each of them', () => {
    for (const state of MODULE_STATES) expect(reach(state), state).toContain('running');
  });

  it('wake nobody that an operator has to look at: each of those has no way out but by a fresh module', () => {
    for (const state of AT_REST) {
      const out = mayFollow(state).filter((to) => !AT_REST.has(to));
      expect(out, state).toEqual([]);
    }
  });

  it('let every state that a host can close in end in stopped', () => {
    for (const from of ['sleeping', 'draining', 'crashed', 'parked'] as const)
      expect(mayFollow(from)).toContain('stopped');
    for (const from of ['starting', 'running'] as const) expect(mayFollow(from)).toContain('draining');
  });

  it('are refused with the module and both names', () => {
    expect(() => assertTransition('demo', 'disabled', 'running')).toThrow('demo cannot go from disabled to running.');
  });
});
