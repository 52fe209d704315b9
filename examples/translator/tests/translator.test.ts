import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import Translator from '../module.ts';

const config = { settings: { upstream_url: 'http://translate.test/v1', api_key: '{{secret.api_key}}' } };
const glossary = { find: () => [{ term: 'channel', as: 'Kanal' }] };

interface Asked {
  readonly authorization: string | null;
  readonly body: unknown;
}

async function start(modules = { glossary } as Record<string, Record<string, () => unknown>>, status = 200) {
  const asked: Asked[] = [];
  const http = async (request: Request) => {
    asked.push({ authorization: request.headers.get('authorization'), body: await request.json() });
    return Response.json({ text: 'guten Morgen' }, { status });
  };
  return { harness: await createModuleHarness(Translator, { config, fakes: { http, modules } }), asked };
}

const wish = { body: { text: 'good morning, channel', to: 'de' } };

describe('the translator module', () => {
  it('answers with the translation and the terms that it kept', async () => {
    const { harness } = await start();
    const answer = await harness.request('POST', '/translate', wish);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ text: 'guten Morgen', terms: ['channel'] });
  });

  it('asks the service with the terms of the glossary, and with the placeholder of its key', async () => {
    const { harness, asked } = await start();
    await harness.request('POST', '/translate', wish);
    expect(asked).toEqual([
      {
        authorization: 'Bearer {{secret.api_key}}',
        body: { text: 'good morning, channel', to: 'de', glossary: [{ term: 'channel', as: 'Kanal' }] },
      },
    ]);
  });

  it('does without the glossary when there is none, and tells the operator', async () => {
    const { harness, asked } = await start({});
    const answer = await harness.request('POST', '/translate', wish);
    expect(answer.json()).toEqual({ text: 'guten Morgen', terms: [] });
    expect(asked[0]?.body).toMatchObject({ glossary: [] });
    expect(harness.logged.at(-1)).toMatchObject({ level: 'warn', message: 'Translating without the glossary' });
  });

  it('answers 502 in plain words when the service refuses', async () => {
    const { harness } = await start({ glossary }, 401);
    const answer = await harness.request('POST', '/translate', wish);
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ detail: 'The translation service has a problem; please try again later' });
  });

  it('refuses languages that it does not know', async () => {
    const { harness, asked } = await start();
    expect((await harness.request('POST', '/translate', { body: { text: 'x', to: 'it' } })).status).toBe(422);
    expect(asked).toEqual([]);
  });
});
