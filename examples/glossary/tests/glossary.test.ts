import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import Glossary from '../module.ts';

const settings = { terms: { PlexiChat: { de: 'PlexiChat' }, channel: { de: 'Kanal', fr: 'salon' } } };
const start = () => createModuleHarness(Glossary, { config: { settings } });

describe('the glossary module', () => {
  it('tells another module which terms of a text it knows, and how they are said', async () => {
    const harness = await start();
    expect(await harness.callMethod('find', { text: 'A CHANNEL of plexichat', to: 'de' })).toEqual([
      { term: 'PlexiChat', as: 'PlexiChat' },
      { term: 'channel', as: 'Kanal' },
    ]);
    expect(await harness.callMethod('find', { text: 'my channel', to: 'fr' })).toEqual([
      { term: 'channel', as: 'salon' },
    ]);
  });

  it('knows nothing of words inside of others, of other languages, and of what every object has', async () => {
    const harness = await start();
    expect(await harness.callMethod('find', { text: 'channels constructor', to: 'de' })).toEqual([]);
    expect(await harness.callMethod('find', { text: 'PlexiChat', to: 'fr' })).toEqual([]);
  });

  it('is not asked what does not fit', async () => {
    const harness = await start();
    for (const wrong of [null, { text: 'x' }, { text: 'x', to: 'deutsch' }, { text: 'x'.repeat(2_001), to: 'de' }]) {
      await expect(harness.callMethod('find', wrong)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('notes who asked, and for whom', async () => {
    const harness = await createModuleHarness(Glossary, { config: { settings: { ...settings, log_level: 'DEBUG' } } });
    const user = { id: 'ada', tier: 'basic', permissions: [] } as const;
    await harness.callMethod(
      'find',
      { text: 'x', to: 'de' },
      { module: 'translator', user: { ...user, permissions: [] } },
    );
    expect(harness.logged.at(-1)?.fields).toEqual({ by: 'translator', for: 'ada' });
  });

  it('lists its terms for clients', async () => {
    const harness = await start();
    expect((await harness.request('GET', '/terms')).json()).toEqual({ terms: ['PlexiChat', 'channel'] });
  });
});
