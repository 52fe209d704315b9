import { describe, expect, it } from 'vitest';
import type { InstanceExit } from '../../runtime/cells/instance.ts';
import { type ExitFacts, judgeExit } from '../../runtime/modules/exit-verdict.ts';

function judge(exit: Partial<InstanceExit>, facts: Partial<ExitFacts> = {}) {
  return judgeExit(
    { reason: 'uncaught', detail: 'why', inFlight: 0, lastUsed: 0, tookCell: false, expected: false, ...exit },
    { state: 'running', isAlone: () => false, isCellAlive: true, overdue: 1, ...facts },
  );
}

describe('the end of a thread', () => {
  it('is a crash, and a dear one when it took its cell along', () => {
    expect(judge({})).toEqual({ kind: 'crash', reason: 'uncaught: why', cost: 1 });
    expect(judge({ reason: 'cell' }, { isAlone: () => true, isCellAlive: false })).toMatchObject({ cost: 3 });
  });

  it('costs nothing when its cell died in company', () => {
    expect(judge({ reason: 'cell' })).toMatchObject({ kind: 'uncharged', rest: 'crashed' });
  });

  it('costs nothing when a task in it was slow to stop, unless its thread could not be ended', () => {
    expect(judge({ reason: 'overdue' })).toEqual({ kind: 'uncharged', rest: 'sleeping', reason: 'why' });
    expect(judge({ reason: 'overdue', tookCell: true }, { isCellAlive: false })).toMatchObject({
      kind: 'crash',
      cost: 3,
    });
  });

  it('is a crash when it is the third within the window that a slow task brought about', () => {
    expect(judge({ reason: 'overdue' }, { overdue: 2 })).toMatchObject({ kind: 'uncharged' });
    expect(judge({ reason: 'overdue' }, { overdue: 3 })).toEqual({
      kind: 'crash',
      reason: 'overdue: why, as were 2 others within 10 minutes',
      cost: 1,
    });
    expect(judge({ reason: 'overdue' }, { overdue: 3, state: 'crashed' })).toEqual({ kind: 'known' });
  });

  it.each(['draining', 'stopped', 'parked'] as const)('is no news in a module that is %s', (state) => {
    for (const reason of ['uncaught', 'cell', 'overdue'] as const)
      expect(judge({ reason }, { state })).toEqual({ kind: 'known' });
  });

  it('is judged by the boot while the module boots', () => {
    expect(judge({}, { state: 'starting' })).toEqual({ kind: 'known' });
    expect(judge({ reason: 'overdue' }, { state: 'starting' })).toEqual({ kind: 'known' });
  });

  it('of the last slow task changes nothing once another thread has crashed', () => {
    expect(judge({ reason: 'overdue' }, { state: 'crashed' })).toEqual({ kind: 'known' });
  });
});
