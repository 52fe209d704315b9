import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import ExampleModule from '../module.ts';

const start = () =>
  createModuleHarness(ExampleModule, { config: { module_version: '1.2.3', settings: { greeting: 'Ahoy' } } });

describe('the example module', () => {
  it('reports the version of its config.yaml', async () => {
    const harness = await start();
    const answer = await harness.request('GET', '/status');
    expect(answer.json()).toEqual({ status: 'active', version: '1.2.3', actions: 0 });
  });

  it('counts the actions it has done', async () => {
    const harness = await start();
    const answer = await harness.request('POST', '/action', { body: { action: 'archive', items: [1, 2] } });
    expect(answer.json()).toEqual({ success: true, message: 'archive done', items: 2 });
    expect((await harness.request('GET', '/status')).json()).toMatchObject({ actions: 1 });
  });

  it('refuses an action it does not know before the handler runs', async () => {
    const harness = await start();
    const answer = await harness.request('POST', '/action', { body: { action: 'explode', items: [1] } });
    expect(answer.status).toBe(422);
    expect((await harness.request('GET', '/status')).json()).toMatchObject({ actions: 0 });
  });

  it('answers 409 for the item that nobody may touch', async () => {
    const harness = await start();
    const answer = await harness.request('POST', '/action', { body: { action: 'restore', items: [12, 13] } });
    expect(answer.status).toBe(409);
    expect(answer.json()).toMatchObject({ detail: 'Item 13 cannot be touched' });
  });

  it('greets with the word of its settings', async () => {
    const harness = await start();
    const answer = await harness.request('GET', '/greet', { query: { name: 'Ada' }, user: { id: 'bob' } });
    expect(answer.json()).toEqual({ greeting: 'Ahoy, Ada!', from: 'bob' });
  });

  it('greets nobody of the basic tier', async () => {
    const harness = await start();
    const answer = await harness.request('GET', '/greet', { query: { name: 'Ada' }, user: { tier: 'basic' } });
    expect(answer.status).toBe(403);
  });
});
