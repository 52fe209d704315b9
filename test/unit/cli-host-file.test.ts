import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readHostFile, removeHostFile, writeHostFile } from '../../runtime/cli/host-file.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { sends, stranger } from '../support/stranger.ts';
import { tempFolder } from '../support/temp-folder.ts';

withoutPlexiVariables();
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-05-01T12:00:10.000Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('host.json', () => {
  async function folder(): Promise<string> {
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    return data;
  }

  it('says where the host is, for its owner only', async () => {
    const data = await folder();
    await writeHostFile(data, 'http://0.0.0.0:8080');
    expect(JSON.parse(readFileSync(join(data, 'host.json'), 'utf8'))).toEqual({
      url: 'http://127.0.0.1:8080',
      pid: process.pid,
      started_at: '2026-05-01T12:00:10.000Z',
    });
    expect(statSync(join(data, 'host.json')).mode & 0o777).toBe(0o600);
    await writeHostFile(data, 'http://[::]:81');
    expect((await readHostFile(data))?.url).toBe('http://[::1]:81');
    await removeHostFile(data);
    expect(await readHostFile(data)).toBeUndefined();
    await removeHostFile(data);
  });

  it('of another process is left alone', async () => {
    const data = await folder();
    const other = { url: 'http://127.0.0.1:81', pid: 1, started_at: '2026-05-01T11:00:00.000Z' };
    writeFileSync(join(data, 'host.json'), JSON.stringify(other), { mode: 0o600 });
    await removeHostFile(data);
    expect(await readHostFile(data)).toEqual(other);
  });

  it('replaces a link instead of writing where it leads', async () => {
    const data = await folder();
    const target = join(data, '..', 'precious');
    writeFileSync(target, 'precious');
    symlinkSync(target, join(data, 'host.json'));
    await writeHostFile(data, 'http://127.0.0.1:81');
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect((await readHostFile(data))?.url).toBe('http://127.0.0.1:81');
  });

  it('is not followed when it is a link', async () => {
    const at = await stranger(sends({ tasks: [] }));
    const data = await folder();
    const target = join(data, '..', 'planted.json');
    const planted = { url: at.url, pid: process.pid, started_at: '2026-05-01T11:00:00.000Z' };
    writeFileSync(target, JSON.stringify(planted), { mode: 0o600 });
    symlinkSync(target, join(data, 'host.json'));
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(3);
    expect(errors).toContain('it is a symbolic link');
    expect(at.requests).toEqual([]);
  });

  it('that others may write to is not believed', async () => {
    const data = await folder();
    await writeHostFile(data, 'http://127.0.0.1:81');
    chmodSync(join(data, 'host.json'), 0o666);
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect([code, errors]).toEqual([3, expect.stringContaining('others may write to it')]);
  });

  it('that is a folder is not read, and not replaced', async () => {
    const data = await folder();
    mkdirSync(join(data, 'host.json'));
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect([code, errors]).toEqual([3, expect.stringContaining('it is no file')]);
    await expect(writeHostFile(data, 'http://127.0.0.1:81')).rejects.toThrow();
    await expect(removeHostFile(data)).resolves.toBeUndefined();
  });

  it('that is a pipe keeps nobody waiting', async () => {
    const data = await folder();
    execFileSync('mkfifo', ['-m', '600', join(data, 'host.json')]);
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect([code, errors]).toEqual([3, expect.stringContaining('it is no file')]);
  });

  const good = { url: 'http://127.0.0.1:81', pid: 1, started_at: '2026-05-01T11:00:00.000Z' };
  it.each([
    ['', 'no JSON'],
    ['{', 'no JSON'],
    ['null', ''],
    ['[]', ''],
    [JSON.stringify({ ...good, pid: '1' }), '/pid'],
    [JSON.stringify({ ...good, pid: -1 }), '/pid'],
    [JSON.stringify({ ...good, pid: 0 }), '/pid'],
    [JSON.stringify({ ...good, url: 'file:///etc/passwd' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://user@evil' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://x/\u001b[2J' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://127.0.0.1:1\u001b]0;owned\u0007' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://127.0.0.1:1\u202e' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://127.0.0.1?token=' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://[::' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://127.0.0.1:99999' }), '/url'],
    [JSON.stringify({ ...good, url: 'http://::' }), '/url'],
    [JSON.stringify({ ...good, started_at: 5 }), '/started_at'],
    [JSON.stringify({ ...good, started_at: '2026-05-01T11:00:00\u001b[2J' }), '/started_at'],
    [JSON.stringify({ ...good, pid: 2 ** 40, started_at: '2026-05-01T11:00:00.000Z\u202e' }), '/started_at'],
    [JSON.stringify({ ...good, token: 'x' }), ''],
    ['{"__proto__":{"url":"http://evil"}}', ''],
    [' '.repeat(5000), '4096'],
  ])('%j is refused with what is wrong', async (text, words) => {
    const data = await folder();
    writeFileSync(join(data, 'host.json'), text, { mode: 0o600 });
    const { code, output, errors } = await plexi('tasks', 'list', '--data', data);
    expect([code, output]).toEqual([3, '']);
    expect(errors).toContain(`${join(data, 'host.json')} is not what a host writes`);
    expect(errors).toContain(words);
    expect(errors).toContain('Remove it and start the host again');
    expect(errors).not.toContain('\u001b');
  });
});
