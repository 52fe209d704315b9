import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import DigestModule from '../module.ts';

type Chat = (request: Request) => Response | Promise<Response>;

const SLOT = '2026-03-01T09:00:00.000Z';

const startWith = (http: Chat, tasks?: () => never) =>
  createModuleHarness(DigestModule, {
    config: { settings: { chat_url: 'http://chat.test' } },
    fakes: { http, ...(tasks === undefined ? {} : { tasks }) },
  });

/** A feed of these pages, and a place for digests that answers with these statuses in turn, then with 201. */
function createChat(pages: readonly unknown[], statuses: number[] = []) {
  const posted: { key: string | null; digest: unknown }[] = [];
  const chat: Chat = async (request) => {
    const url = new URL(request.url);
    if (request.method === 'POST') {
      posted.push({ key: request.headers.get('idempotency-key'), digest: await request.json() });
      return new Response('{}', { status: statuses.shift() ?? 201 });
    }
    return Response.json({ pages: pages.length, messages: pages[Number(url.searchParams.get('page')) - 1] });
  };
  return { chat, posted };
}

const say = (channel: string, text: string) => ({ channel, author: 'ada', text });
const PAGES = [
  [say('general', 'Coffee, coffee!'), say('general', 'Tea is not COFFEE')],
  [say('kitchen', 'Which coffee?')],
];

describe('summarize', () => {
  it('counts all pages, posts the digest, and keeps it', async () => {
    const { chat, posted } = createChat(PAGES);
    const harness = await startWith(chat);
    expect(await harness.runTask('summarize')).toMatchObject({ ok: true, result: { messages: 3 } });
    const digest = {
      made_at: expect.any(String),
      messages: 3,
      channels: [
        { channel: 'general', messages: 2 },
        { channel: 'kitchen', messages: 1 },
      ],
      words: [
        { word: 'coffee', count: 4 },
        { word: 'which', count: 1 },
      ],
    };
    expect(posted.map((each) => each.digest)).toEqual([digest]);
    expect((await harness.request('GET', '/last')).json()).toEqual(digest);
  });

  it('says how far it is, page by page', async () => {
    const harness = await startWith(createChat(PAGES).chat);
    const { progress, logs } = await harness.runTask('summarize');
    expect(progress).toEqual([
      { percent: 45, note: 'read page 1 of 2' },
      { percent: 90, note: 'read page 2 of 2' },
      { percent: 100, note: 'posted' },
    ]);
    expect(logs).toEqual(['Page 1 of 2: 2 messages.', 'Page 2 of 2: 1 messages.', 'Posted in attempt 1.']);
  });

  it('fails when the chat is busy, and posts under the same key when it is tried again', async () => {
    const { chat, posted } = createChat(PAGES, [503]);
    const harness = await startWith(chat);
    expect(await harness.runTask('summarize', { slot: SLOT })).toMatchObject({
      ok: false,
      code: 'MODULE_ERROR',
      message: expect.stringContaining('503'),
    });
    expect((await harness.request('GET', '/last')).status).toBe(404);
    const again = await harness.runTask('summarize', { slot: SLOT, attempt: 2 });
    expect(again.logs.at(-1)).toBe('Posted in attempt 2.');
    expect(posted.map(({ key }) => key)).toEqual([`summarize ${SLOT}`, `summarize ${SLOT}`]);
  });

  it('has a key of its own for every run that was asked for', async () => {
    const { chat, posted } = createChat(PAGES);
    const harness = await startWith(chat);
    await harness.runTask('summarize');
    await harness.runTask('summarize');
    expect(new Set(posted.map(({ key }) => key)).size).toBe(2);
  });

  it.each([
    ['the feed', () => new Response('', { status: 410 })],
    ['the place for digests', createChat(PAGES, [410]).chat],
  ])('is not tried again when %s is gone for good', async (_what, chat: Chat) => {
    const harness = await startWith(chat);
    expect(await harness.runTask('summarize')).toMatchObject({ ok: false, code: 'TASK_UNRECOVERABLE' });
  });

  it.each([
    ['no object', null],
    ['no messages', { pages: 1 }],
    ['something else for a message', { pages: 1, messages: [{ channel: 'general' }] }],
  ])('fails when the feed sends %s', async (_what, page) => {
    const harness = await startWith(() => Response.json(page));
    expect(await harness.runTask('summarize')).toMatchObject({
      ok: false,
      message: expect.stringContaining('no page of messages'),
    });
  });

  it('does not follow a feed that never ends', async () => {
    let asked = 0;
    const harness = await startWith((request) => {
      if (request.method === 'POST') return new Response('{}');
      asked += 1;
      return Response.json({ pages: 1e9, messages: [] });
    });
    expect(await harness.runTask('summarize')).toMatchObject({ ok: true });
    expect(asked).toBe(100);
  });

  it('stops at its deadline', async () => {
    const deadline = new AbortController();
    const harness = await startWith((request) => {
      if (new URL(request.url).searchParams.get('page') === '1') deadline.abort();
      return Response.json({ pages: 2, messages: [] });
    });
    const run = await harness.runTask('summarize', { signal: deadline.signal });
    expect(run.ok).toBe(false);
  });
});

describe('GET /:run', () => {
  it('answers 404 that says what to do before there is a digest', async () => {
    const harness = await startWith(createChat([]).chat);
    const answer = await harness.request('GET', '/last');
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining('POST /api/v1/digest/now') });
    expect((await harness.request('GET', '/some-run')).status).toBe(404);
  });

  it('keeps the digests of a day, by run', async () => {
    const { chat, posted } = createChat(PAGES);
    const harness = await startWith(chat);
    for (let run = 0; run < 25; run++) await harness.runTask('summarize');
    const runs = posted.map(({ key }) => key?.replace('summarize ', ''));
    const statuses = await Promise.all(runs.map(async (run) => (await harness.request('GET', `/${run}`)).status));
    expect(statuses).toEqual([404, ...Array.from({ length: 24 }, () => 200)]);
  });
});

describe('POST /now', () => {
  it('queues a run and answers with its id', async () => {
    const harness = await startWith(createChat(PAGES).chat);
    const answer = await harness.request('POST', '/now');
    const { id } = answer.json() as { id: string };
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toMatch(new RegExp(`/${id}$`));
    expect(harness.enqueued).toEqual([{ id, name: 'summarize', data: null, delay: 0 }]);
  });

  it('answers 503 in plain words when the queue takes nothing, and tells the operator why', async () => {
    const harness = await startWith(createChat(PAGES).chat, () => {
      throw new Error('10000 runs wait already');
    });
    const answer = await harness.request('POST', '/now');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(answer.text()).not.toContain('10000');
    expect(harness.logged.some(({ fields }) => String(fields?.reason).includes('10000'))).toBe(true);
  });
});
