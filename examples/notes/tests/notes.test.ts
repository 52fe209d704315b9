import { readFileSync } from 'node:fs';
import { createModuleHarness, type ModuleHarness } from '@plexichat/sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import NotesModule from '../module.ts';

const config = parse(readFileSync(new URL('../config.yaml', import.meta.url), 'utf8')) as Record<string, unknown>;

let harness: ModuleHarness<NotesModule>;
beforeEach(async () => {
  harness = await createModuleHarness(NotesModule, { config });
});
afterEach(() => harness.close());

const write = async (body: object, id = 'test-user') => {
  const answer = await harness.request('POST', '/', { body, user: { id } });
  expect(answer.status).toBe(201);
  return answer.json() as { id: number };
};
const list = async (query: Record<string, string> = {}) =>
  ((await harness.request('GET', '/', { query })).json() as { title: string }[]).map(({ title }) => title);

describe('a note', () => {
  it('is written, read, changed and deleted', async () => {
    const answer = await harness.request('POST', '/', { body: { title: 'Milk', tags: ['shop'] } });
    const note = answer.json() as { id: number };
    expect(answer.headers.get('location')).toBe(`/api/v1/notes/${note.id}`);
    expect(note).toEqual({
      id: 1,
      title: 'Milk',
      text: '',
      tags: ['shop'],
      pinned: false,
      changed_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/),
    });
    expect((await harness.request('GET', '/1')).json()).toEqual(note);
    const changed = await harness.request('PUT', '/1', { body: { title: 'Oat milk', pinned: true } });
    expect(changed.json()).toMatchObject({ title: 'Oat milk', tags: [], pinned: true });
    expect((await harness.request('DELETE', '/1')).status).toBe(204);
    expect((await harness.request('GET', '/1')).status).toBe(404);
  });

  it('is somebody’s own: for others there is none', async () => {
    const { id } = await write({ title: 'Secret' }, 'ada');
    for (const [method, path, body] of [
      ['GET', `/${id}`, undefined],
      ['PUT', `/${id}`, { title: 'Mine now' }],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      const answer = await harness.request(method, path, { body, user: { id: 'eve' } });
      expect([method, answer.status]).toEqual([method, 404]);
    }
    expect(await list()).toEqual([]);
  });

  it('keeps what it says, whatever it says', async () => {
    const title = `Robert'); DROP TABLE notes;--`;
    await write({ title });
    expect(await list()).toEqual([title]);
  });
});

describe('the list', () => {
  it('has pinned notes first, and comes in pages', async () => {
    for (const title of ['a', 'b', 'c']) await write({ title, pinned: title === 'a' });
    expect(await list()).toEqual(['a', 'c', 'b']);
    expect(await list({ limit: '1', offset: '1' })).toEqual(['c']);
  });

  it('can be that of a tag', async () => {
    await write({ title: 'Milk', tags: ['shop', 'food'] });
    await write({ title: 'Call Bob', tags: ['people'] });
    expect(await list({ tag: 'food' })).toEqual(['Milk']);
  });
});

describe('merging', () => {
  it('appends one note to the other', async () => {
    const { id } = await write({ title: 'Shop', text: 'milk' });
    const { id: from } = await write({ title: 'More', text: 'bread' });
    const answer = await harness.request('POST', `/${id}/merge`, { body: { from } });
    expect(answer.json()).toMatchObject({ id, text: 'milk\nbread' });
    expect(await list()).toEqual(['Shop']);
  });

  it('that fails halfway changes nothing', async () => {
    const { id: from } = await write({ title: 'More', text: 'bread' });
    expect((await harness.request('POST', '/99/merge', { body: { from } })).status).toBe(404);
    const tooLong = await write({ title: 'Full', text: 'x'.repeat(20_000) });
    expect((await harness.request('POST', `/${tooLong.id}/merge`, { body: { from } })).status).toBe(500);
    expect(await list()).toEqual(expect.arrayContaining(['More', 'Full']));
  });
});
