import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import WeatherModule from '../module.ts';

type Upstream = (request: Request) => Response | Promise<Response>;

const settings = { upstream_url: 'http://weather.test/v1', api_key: '{{secret.api_key}}' };

const startWith = (http: Upstream) => createModuleHarness(WeatherModule, { config: { settings }, fakes: { http } });

describe('the weather module', () => {
  it('answers with the weather of the city', async () => {
    const harness = await startWith(() => Response.json({ name: 'Oslo', temperature: -2, description: 'snow', id: 7 }));
    const answer = await harness.request('GET', '/weather/oslo');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ city: 'Oslo', temperature: -2, description: 'snow' });
  });

  it('asks with the city and with the placeholder of its key', async () => {
    const asked: URL[] = [];
    const harness = await startWith((request) => {
      asked.push(new URL(request.url));
      return Response.json({ name: 'São Paulo', temperature: 24, description: 'rain' });
    });
    await harness.request('GET', `/weather/${encodeURIComponent('são paulo & more')}`);
    expect(asked.map(({ origin, pathname }) => origin + pathname)).toEqual(['http://weather.test/v1']);
    expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({
      q: 'são paulo & more',
      appid: '{{secret.api_key}}',
    });
  });

  it('answers 404 for a city that the service does not know', async () => {
    const harness = await startWith(() => Response.json({ message: 'city not found' }, { status: 404 }));
    const answer = await harness.request('GET', '/weather/atlantis');
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ detail: 'City not found' });
  });

  it('asks again when nobody answers', async () => {
    let asked = 0;
    const harness = await startWith(() => {
      asked += 1;
      if (asked < 3) throw new Error('connection refused');
      return Response.json({ name: 'Oslo', temperature: -2, description: 'snow' });
    });
    expect((await harness.request('GET', '/weather/oslo')).status).toBe(200);
    expect(asked).toBe(3);
  });

  it('answers 502 in plain words when nobody answers at all, and tells the operator why', async () => {
    const harness = await startWith(() => {
      throw new Error('connection refused');
    });
    const answer = await harness.request('GET', '/weather/oslo');
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ detail: 'The weather service cannot be reached; please try again later' });
    expect(answer.text()).not.toContain('connection refused');
    expect(harness.logged.some(({ fields }) => String(fields?.reason).includes('connection refused'))).toBe(true);
  });

  it('answers 502 when the service refuses its key, and does not ask again', async () => {
    let asked = 0;
    const harness = await startWith(() => {
      asked += 1;
      return Response.json({ message: 'bad key' }, { status: 401 });
    });
    expect((await harness.request('GET', '/weather/oslo')).status).toBe(502);
    expect(asked).toBe(1);
  });

  it('does not start with an address that is none', async () => {
    const config = { settings: { ...settings, upstream_url: 'weather dot test' } };
    await expect(createModuleHarness(WeatherModule, { config })).rejects.toThrow(/settings\.upstream_url/);
  });
});
