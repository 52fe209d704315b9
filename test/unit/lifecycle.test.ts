import { describe, expect, it } from 'vitest';
import { assertTransition } from '../../runtime/modules/lifecycle.ts';
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
    for (const from of ['disabled', 'installed', 'failed'] as const) expect(mayFollow(from)).not.toContain('starting');
  });

  it('have a way out of each of them', () => {
    for (const state of MODULE_STATES) expect(mayFollow(state), state).not.toEqual([]);
  });

  it('let every state that a host can close in end in stopped', () => {
    for (const from of ['sleeping', 'draining', 'crashed', 'parked', 'stopped'] as const) {
      expect(from === 'stopped' || mayFollow(from).includes('stopped'), from).toBe(true);
    }
    for (const from of ['starting', 'running'] as const) expect(mayFollow(from)).toContain('draining');
  });

  it('are refused with the module and both names', () => {
    expect(() => assertTransition('demo', 'disabled', 'running')).toThrow('demo cannot go from disabled to running.');
  });
});
