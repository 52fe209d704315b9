import { createHash } from 'node:crypto';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import { letters } from '../letters.ts';
import StreamingModule from '../module.ts';
import { ticks } from '../ticks.ts';

describe('GET /ticks', () => {
  it('sends as many events as were asked for', async () => {
    const harness = await createModuleHarness(StreamingModule);
    const answer = await harness.request('GET', '/ticks', { query: { count: '3', interval: '10' } });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.text().match(/^data: .*$/gm)).toEqual([1, 2, 3].map((tick) => `data: {"tick":${tick},"of":3}`));
    expect((await harness.request('GET', '/open')).json()).toMatchObject({ ticks: 0 });
  });

  it('ends when the reader goes away', async () => {
    let ended = 0;
    const reader = ticks(1000, 10, () => {
      ended += 1;
    }).getReader();
    await reader.read();
    await reader.cancel();
    expect(ended).toBe(1);
  });

  it('refuses a count that is too large', async () => {
    const harness = await createModuleHarness(StreamingModule);
    const answer = await harness.request('GET', '/ticks', { query: { count: '5000', interval: '10' } });
    expect(answer.status).toBe(422);
  });
});

describe('POST /upload', () => {
  it('answers with size and SHA-256', async () => {
    const harness = await createModuleHarness(StreamingModule);
    const body = new Uint8Array(100_000).map((_zero, index) => index % 251);
    const answer = await harness.request('POST', '/upload', { body });
    expect(answer.json()).toEqual({ size: 100_000, sha256: createHash('sha256').update(body).digest('hex') });
  });

  it('wants a body', async () => {
    const harness = await createModuleHarness(StreamingModule);
    expect((await harness.request('POST', '/upload')).status).toBe(400);
  });
});

describe('GET /download', () => {
  it('sends exactly as many bytes as were asked for', async () => {
    const harness = await createModuleHarness(StreamingModule);
    const answer = await harness.request('GET', '/download', { query: { size: '100001' } });
    expect(answer.text()).toHaveLength(100_001);
    expect(answer.text().slice(0, 30)).toBe('abcdefghijklmnopqrstuvwxyzabcd');
    expect((await harness.request('GET', '/open')).json()).toEqual({ ticks: 0, downloads: 0, sentBytes: 100_001 });
  });

  it('makes no more pieces than its reader takes', async () => {
    let sent = 0;
    let ended = false;
    const onSent = (bytes: number) => {
      sent += bytes;
    };
    const onEnd = () => {
      ended = true;
    };
    const reader = letters(1_000_000_000, { onSent, onEnd }).getReader();
    const first = await reader.read();
    await reader.cancel();
    expect(sent).toBeLessThanOrEqual(3 * (first.value?.byteLength ?? 0));
    expect(ended).toBe(true);
  });
});
