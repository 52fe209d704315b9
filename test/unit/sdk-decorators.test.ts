import { describe, expect, it } from 'vitest';
import { createModuleHarness } from '../../sdk/testing/index.ts';
import { loadAuthorCode } from '../support/author-module.ts';

const HEAD = `import { BaseModule, cacheResult, HttpError, moduleEndpoint, retry } from '@plexichat/sdk';`;

async function moduleOf<Shape>(body: string): Promise<Shape> {
  const { default: Module } = await loadAuthorCode(
    `${HEAD} export default class M extends BaseModule { runs = 0; ${body} }`,
  );
  return (await createModuleHarness(Module)).module as Shape;
}

describe('@cacheResult', () => {
  it('answers the same arguments from memory, per instance', async () => {
    const body = `@cacheResult({ ttl: 60 }) async f(a, b) { this.runs++; return a + b; }`;
    const one = await moduleOf<{ f(a: number, b: number): Promise<number>; runs: number }>(body);
    expect(await Promise.all([one.f(1, 2), one.f(1, 2), one.f(2, 1)])).toEqual([3, 3, 3]);
    expect(await one.f(1, 2)).toBe(3);
    expect(one.runs).toBe(2);
  });

  it('does not keep a failure, but shares it with those who wait already', async () => {
    const module = await moduleOf<{ f(): Promise<number>; runs: number }>(
      `@cacheResult({ ttl: 60 }) async f() { if (this.runs++ === 0) throw new Error('first'); return this.runs; }`,
    );
    const both = await Promise.allSettled([module.f(), module.f()]);
    expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect(await module.f()).toBe(2);
  });

  it('forgets the one unused for longest when it is full', async () => {
    const module = await moduleOf<{ f(a: number): number; runs: number }>(
      `@cacheResult({ ttl: 60, max: 2 }) f(a) { this.runs++; return a; }`,
    );
    for (const value of [1, 2, 1, 3, 1]) module.f(value);
    expect(module.runs).toBe(3);
    module.f(2);
    expect(module.runs).toBe(4);
  });

  it('forgets after its time', async () => {
    const module = await moduleOf<{ f(): number; runs: number }>(
      `@cacheResult({ ttl: 0.005 }) f() { return ++this.runs; }`,
    );
    expect(module.f()).toBe(1);
    await expect.poll(() => module.f()).toBeGreaterThan(1);
  });

  it('refuses a time that is none, and arguments that are no JSON', async () => {
    await expect(moduleOf('@cacheResult({ ttl: 0 }) f() {}')).rejects.toThrow('ttl must be above 0 seconds, found 0');
    const module = await moduleOf<{ f(a: unknown): void }>('@cacheResult({ ttl: 1 }) f(a) {}');
    expect(() => module.f(() => 1)).toThrow(/@cacheResult on f: the arguments must be JSON values/);
  });
});

describe('@retry', () => {
  it('tries again until it works', async () => {
    const module = await moduleOf<{ f(a: number): Promise<number>; runs: number }>(
      `@retry({ attempts: 3, wait: 1 }) async f(a) { if (++this.runs < 3) throw new Error('not yet'); return a; }`,
    );
    expect(await module.f(9)).toBe(9);
    expect(module.runs).toBe(3);
  });

  it('throws the last error when the attempts are spent', async () => {
    const module = await moduleOf<{ f(): Promise<never>; runs: number }>(
      `@retry({ attempts: 2, wait: { initial: 1, max: 2, factor: 3, jitter: 0 } }) async f() { throw new Error('run ' + ++this.runs); }`,
    );
    await expect(module.f()).rejects.toThrow('run 2');
  });

  it('does not try an HttpError below 500 again, unless "when" says so', async () => {
    const module = await moduleOf<{ f(): Promise<never>; g(): Promise<never>; runs: number }>(`
      @retry({ attempts: 5, wait: 1 }) async f() { this.runs++; throw new HttpError(404, 'gone'); }
      @retry({ attempts: 5, wait: 1, when: (error, attempt) => attempt < 3 }) async g() { this.runs++; throw new HttpError(404, 'gone'); }`);
    await expect(module.f()).rejects.toThrow('gone');
    expect(module.runs).toBe(1);
    await expect(module.g()).rejects.toThrow('gone');
    expect(module.runs).toBe(4);
  });

  it('refuses attempts that are no number from 1 to 100', async () => {
    await expect(moduleOf('@retry({ attempts: 0 }) async f() {}')).rejects.toThrow(
      'attempts must be a whole number from 1 to 100, found 0',
    );
  });

  it('works on an endpoint, below and above its decorator', async () => {
    const { default: Module } = await loadAuthorCode(`${HEAD} export default class M extends BaseModule {
      @moduleEndpoint('GET /a') @retry({ attempts: 2, wait: 1 }) async a() { if (!this.once) { this.once = true; throw new Error('x'); } return 1; }
      @cacheResult({ ttl: 9 }) @moduleEndpoint('GET /b') b() { return 2; }
    }`);
    const harness = await createModuleHarness(Module);
    expect((await harness.request('GET', '/a')).json()).toBe(1);
    expect((await harness.request('GET', '/b')).status).toBe(500);
  });
});
