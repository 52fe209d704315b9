import { describe, expect, it } from 'vitest';
import { runView, taskView } from '../support/fake-desk.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { askStranger, sends, stranger } from '../support/stranger.ts';

withoutPlexiVariables();

const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('a host that is not one', () => {
  const escapes = '\u001b]0;owned\u0007\u001b[2J\u202egnp.exe\u009b31m';

  it.each([
    ['HTML', '<html>hello</html>'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['tasks that are none', '{"tasks":[{"module":"weather"}]}'],
    ['wrong types', JSON.stringify({ tasks: [{ ...taskView(), failures_in_a_row: 'many' }] })],
    ['an unknown state', JSON.stringify({ tasks: [{ ...taskView(), state: 'constructor' }] })],
    ['a prototype', '{"__proto__":{"tasks":[]}}'],
  ])('%s as an answer ends with 3', async (_name, text) => {
    const at = await stranger(sends(text));
    for (const json of [[], ['--json']]) {
      const { code, output, errors } = await askStranger(at, 'list', ...json);
      expect([code, output]).toEqual([3, '']);
      expect(errors).toContain('does not understand');
      expect(errors).not.toMatch(/\n\s+at /);
    }
  });

  it('a row that is odd hides no other, and is said to be left out', async () => {
    const odd = [{ ...taskView(), failures_in_a_row: 'many' }, { ...taskView(), state: escapes }, null, 5, 'x'];
    const tasks = [taskView({ task: 'first' }), ...odd, taskView({ task: 'last' })];
    const runs = [runView({ id: '7' }), { ...runView({ id: '8' }), attempt: -1 }, runView({ id: '9' })];
    const at = await stranger((response, { url = '' }) =>
      sends(url.includes('/runs') ? { runs } : { tasks })(response),
    );
    const list = await askStranger(at, 'list');
    expect([list.code, list.errors]).toEqual([0, '']);
    expect(list.output).toMatch(/^weather +first.*\nweather +last/m);
    expect(list.output).toContain('\n5 rows could not be read: ');
    const shown = await askStranger(at, 'runs', 'weather', 'refresh');
    expect(shown.code).toBe(0);
    expect(shown.output).toMatch(/^7 [\s\S]*^9 /m);
    expect(shown.output).not.toMatch(/^8 /m);
    expect(shown.output).toContain('\n1 row could not be read: /runs/1/attempt ');
    const json = await askStranger(at, 'list', '--json');
    expect([json.code, JSON.parse(json.output)]).toEqual([0, { tasks }]);
    for (const { output } of [list, json]) expect(output).not.toContain('\u001b');
  });

  it('more rows than a table has are refused', async () => {
    const at = await stranger(sends({ tasks: Array(100_001).fill(0) }));
    const { code, errors } = await askStranger(at, 'list');
    expect([code, errors]).toEqual([3, expect.stringContaining('does not understand')]);
  });

  it.each([
    [404, '<html>nginx</html>'],
    [500, ''],
    [404, '{"detail":1,"code":"X"}'],
    [400, '{"detail":"x","code":"\\u001b[31mX"}'],
    [404, '"x"'.repeat(100_000)],
  ])('status %i without a problem ends with 3', async (status, text) => {
    const at = await stranger(sends(text, status));
    const { code, errors } = await askStranger(at, 'list');
    expect(code).toBe(3);
    expect(errors).toContain(`status ${status} and not as a host does`);
    expect(errors).not.toContain('\u001b');
  });

  it('a problem steers no terminal and forges no line', async () => {
    const problem = {
      detail: `No such task${escapes}\nAll is well.`,
      code: 'NOT_FOUND',
      errors: [{ path: `/body\n${escapes}`, message: escapes }],
    };
    const at = await stranger(sends(problem, 404));
    const { code, errors } = await askStranger(at, 'list');
    expect(code).toBe(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
    expect(errors).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(errors).not.toMatch(/^All is well/m);
  });

  it("a module's words in a table steer no terminal and forge no row", async () => {
    const words = `boom${escapes}\nweather  refresh  scheduled`;
    const task = taskView({ state: 'paused', paused: { by: 'failures', reason: words, at: words.slice(0, 30) } });
    const run = runView({ state: 'failed', error: { code: words, message: words }, note: words, skipped: words });
    const at = await stranger((response, { url = '' }) =>
      sends(url.includes('/runs') ? { runs: [run] } : { tasks: [task] })(response),
    );
    for (const args of [['list'], ['runs', 'weather', 'refresh']]) {
      const { code, output } = await askStranger(at, ...args);
      expect(code).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
      expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(output).not.toMatch(/^weather {2}refresh {2}scheduled/m);
      expect(longest(output)).toBeLessThanOrEqual(100);
    }
  });

  it('--json is the same JSON, with what steers a terminal as escapes', async () => {
    const runs = [runView({ result: { words: escapes, big: 1 } })];
    const text = JSON.stringify({ runs }).replace('"big":1', '"big":12345678901234567890');
    const at = await stranger(sends(text));
    const { output } = await askStranger(at, 'runs', 'weather', 'refresh', '--json');
    expect(JSON.parse(output)).toEqual(JSON.parse(text));
    expect(output).toContain('12345678901234567890');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
    expect(output.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('an answer without end is cut off', async () => {
    const at = await stranger((response) => {
      const chunk = ' '.repeat(1024 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const { code, errors } = await askStranger(at, 'list');
    expect([code, errors]).toEqual([3, expect.stringContaining('The answer has more than')]);
  });

  it('a result that nests without end is not shown', async () => {
    const text = JSON.stringify({ runs: [runView()] }).replace(
      '{"removed":3}',
      '['.repeat(200_000) + ']'.repeat(200_000),
    );
    const at = await stranger(sends(text));
    const { code, output } = await askStranger(at, 'runs', 'weather', 'refresh');
    expect(code).toBe(0);
    expect(output).toContain('--json shows');
  });
});
