import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../runtime/observability/log.ts';
import { type ModuleLine, ModuleLogs } from '../../runtime/observability/module-logs.ts';
import { noteModuleLines } from '../../runtime/observability/note-module-lines.ts';

const words = (lines: readonly ModuleLine[]): string[] => lines.map(({ message }) => message);

describe('lines of a module', () => {
  it('come newest first, in pages, from a level up, and from both sources in one order', () => {
    const clock = { now: 1_000 };
    const logs = new ModuleLogs({ now: () => clock.now++ });
    logs.write('weather', 'module', 'debug', 'a');
    logs.write('weather', 'host', 'warn', 'b');
    logs.write('weather', 'module', 'error', 'c', '{"n":1}');
    logs.write('mail', 'module', 'error', 'of another');
    const all = logs.list('weather', { limit: 9 });
    expect(words(all)).toEqual(['c', 'b', 'a']);
    expect(all.map(({ source }) => source)).toEqual(['module', 'host', 'module']);
    expect(all[0]).toMatchObject({ module: 'weather', level: 'error', fields: '{"n":1}' });
    expect(words(logs.list('weather', { limit: 2, before: all[0]?.id }))).toEqual(['b', 'a']);
    expect(words(logs.list('weather', { limit: 9, level: 'warn' }))).toEqual(['c', 'b']);
    expect(words(logs.list('weather', { limit: 9, after: all[1]?.id }))).toEqual(['c']);
    expect(logs.list('nobody', { limit: 9 })).toEqual([]);
  });

  it('a module that floods washes away its own words only', () => {
    const logs = new ModuleLogs({ lines: 100 });
    logs.write('flood', 'host', 'warn', 'it crashed');
    logs.write('quiet', 'module', 'info', 'still here');
    for (let line = 0; line < 50_000; line++) logs.write('flood', 'module', 'error', `noise ${line}`);
    expect(words(logs.list('quiet', { limit: 9 }))).toEqual(['still here']);
    const kept = logs.list('flood', { limit: 1_000 });
    expect(kept).toHaveLength(101);
    expect(words(kept)).toContain('it crashed');
    expect(words(kept)[0]).toBe('noise 49999');
  });

  it('take a bounded number of bytes, for each module and for all', () => {
    const logs = new ModuleLogs({ bytes: 100_000, totalBytes: 400_000 });
    const count = (module: string): number => logs.list(module, { limit: 9_999 }).length;
    for (let line = 0; line < 1_000; line++) logs.write('one', 'module', 'info', 'x'.repeat(1_000));
    expect(count('one')).toBe(Math.floor(100_000 / 2_128));
    for (let module = 0; module < 99; module++) {
      for (let line = 0; line < 10; line++) logs.write(`m${module}`, 'module', 'info', 'x'.repeat(1_000));
    }
    // 100 modules, two rings each: 2000 bytes, and one line stays whatever its size.
    expect(count('one')).toBe(1);
    expect(count('m98')).toBe(1);
  });

  it('of the module that spoke first are forgotten when there are too many modules', () => {
    const logs = new ModuleLogs({ modules: 3 });
    for (const module of ['a', 'b', 'c', 'd']) logs.write(module, 'module', 'info', 'hello');
    expect(['a', 'b', 'c', 'd'].map((module) => logs.knows(module))).toEqual([false, true, true, true]);
  });

  it('keep their order whatever the clock does', () => {
    const times = [5_000, 4_000, 4_000, 9_000];
    const logs = new ModuleLogs({ now: () => times.shift() ?? 0 });
    for (const message of ['a', 'b', 'c', 'd']) logs.write('weather', 'module', 'info', message);
    expect(words(logs.list('weather', { limit: 9 }))).toEqual(['d', 'c', 'b', 'a']);
  });

  it('reach those who listen, until they stop or the host ends', () => {
    const logs = new ModuleLogs();
    const heard: string[] = [];
    const listener = {
      onItem: ({ message }: ModuleLine) => void heard.push(message),
      onEnd: () => void heard.push('the end'),
    };
    const stop = logs.listen('weather', listener);
    logs.write('weather', 'module', 'info', 'a');
    logs.write('mail', 'module', 'info', 'of another');
    stop();
    logs.write('weather', 'module', 'info', 'b');
    logs.listen('weather', listener);
    logs.close();
    logs.listen('weather', listener);
    expect(heard).toEqual(['a', 'the end', 'the end']);
  });

  it('are cut, whatever a module writes, and their fields stay JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 50 }), fc.constant('x'.repeat(20_000))),
        fc.jsonValue(),
        (message, fields) => {
          const logs = new ModuleLogs();
          logs.write('weather', 'module', 'info', message, JSON.stringify(fields));
          logs.write('weather', 'module', 'info', message, JSON.stringify('x'.repeat(20_000)));
          const lines = logs.list('weather', { limit: 9 });
          expect(lines).toHaveLength(2);
          for (const line of lines) {
            expect(line.message.length).toBeLessThanOrEqual(8_000);
            JSON.parse(line.fields ?? '');
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('what the host says about a module', () => {
  const open = (level = 'info') => {
    const printed: string[] = [];
    const log = createLog({ level, readable: false, destination: { write: (line) => void printed.push(line) } });
    const logs = new ModuleLogs();
    return { printed, logs, noting: noteModuleLines(log, logs), log };
  };

  it('is kept with it, at the level it had, also when the host’s log is quiet', () => {
    const { printed, logs, noting } = open('silent');
    noting.warn({ module: 'weather', reason: 'oom', detail: 'heap' }, 'a thread ended');
    noting.debug({ module: 'weather', from: 'starting' }, 'running');
    noting.fatal({ module: 'weather' }, 'worst');
    noting.warn({ other: 1 }, 'about nobody');
    noting.info('no facts at all');
    expect(printed).toEqual([]);
    expect(
      logs.list('weather', { limit: 9 }).map(({ level, source, message, fields }) => [level, source, message, fields]),
    ).toEqual([
      ['error', 'host', 'worst', undefined],
      ['debug', 'host', 'running', '{"from":"starting"}'],
      ['warn', 'host', 'a thread ended', '{"reason":"oom","detail":"heap"}'],
    ]);
  });

  it('goes to the log as before', () => {
    const { printed, noting, log } = open();
    noting.warn({ module: 'weather', err: new Error('broken') }, 'did not boot');
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({
      level: 40,
      module: 'weather',
      msg: 'did not boot',
      err: { message: 'broken' },
    });
    log.warn({ module: 'weather' }, 'by the log that was wrapped');
    expect(printed).toHaveLength(2);
  });

  it('says no more than it may: no caller, no stack, nothing of an operator’s action', () => {
    const { logs, noting } = open();
    const err = Object.assign(new Error('x'.repeat(5_000)), { secret: 'hidden' });
    noting.warn(
      { module: 'weather', caller: 'alice', headers: { authorization: 'hidden' }, err, status: 502, path: '/x' },
      'request failed',
    );
    noting.info({ module: 'weather', audit: true, reason: 'hidden' }, 'operator action');
    const [line, ...others] = logs.list('weather', { limit: 9 });
    expect(others).toEqual([]);
    expect(JSON.parse(line?.fields ?? '')).toEqual({ error: 'x'.repeat(1_000), status: 502, path: '/x' });
    expect(JSON.stringify(line)).not.toMatch(/hidden|alice|at /);
  });

  it('is not washed away by what clients make happen as often as they like', () => {
    const clock = { now: 1_000_000 };
    const logs = new ModuleLogs({ lines: 500 });
    const noting = noteModuleLines(createLog({ level: 'silent', readable: false }), logs, () => clock.now);
    noting.warn({ module: 'weather', reason: 'heap' }, 'a thread ended');
    for (let request = 0; request < 10_000; request++) noting.warn({ module: 'weather' }, 'request failed');
    noting.warn({ module: 'mail' }, 'request failed');
    const kept = words(logs.list('weather', { limit: 999 }));
    expect([kept.length, kept.at(-1)]).toEqual([61, 'a thread ended']);
    expect(logs.list('mail', { limit: 9 })).toHaveLength(1);
    clock.now += 60_000;
    noting.warn({ module: 'weather' }, 'request failed');
    expect(words(logs.list('weather', { limit: 2 }))).toEqual([
      'request failed',
      '9940 more lines like the next one were not kept',
    ]);
  });
});
