import {
  BaseModule,
  EgressDeniedError,
  type EndpointContext,
  HttpError,
  moduleEndpoint,
  retry,
  Type,
} from '@plexichat/sdk';

const CitySchema = Type.Object({ city: Type.String({ minLength: 1, maxLength: 80 }) });

const WeatherSchema = Type.Object({
  city: Type.String(),
  temperature: Type.Number({ description: 'Degrees Celsius' }),
  description: Type.String(),
});

interface WeatherSettings {
  upstream_url: string;
  api_key: string;
}

export default class WeatherModule extends BaseModule<WeatherSettings> {
  override validateConfig() {
    const { upstream_url } = this.config.settings;
    if (!URL.canParse(upstream_url)) throw new Error(`settings.upstream_url: "${upstream_url}" is not a URL`);
  }

  @moduleEndpoint('GET /weather/:city', {
    permissions: ['read'],
    rateLimit: 30,
    cacheTtl: 300,
    params: CitySchema,
    response: WeatherSchema,
    summary: 'The weather of a city, at most five minutes old.',
  })
  async getWeather({ params, signal }: EndpointContext<{ params: typeof CitySchema }>) {
    const reply = await this.askUpstream(params.city, signal).catch((error: unknown) => {
      this.logger.warn('The weather service cannot be reached', { reason: String(error) });
      throw new HttpError(502, 'The weather service cannot be reached; please try again later', { cause: error });
    });
    if (reply.status === 404) throw new HttpError(404, 'City not found');
    if (!reply.ok) {
      this.logger.warn('The weather service refused', { status: reply.status });
      throw new HttpError(502, 'The weather service has a problem; please try again later');
    }
    // Whatever the service sent: the host checks the answer against WeatherSchema before a client sees it.
    const weather = (await reply.json().catch(() => null)) as Readonly<Record<string, unknown>> | null;
    return { city: weather?.name, temperature: weather?.temperature, description: weather?.description };
  }

  /** Asked again when nobody answers: a GET changes nothing. A refusal of the host stays one, so it is not repeated. */
  @retry({ attempts: 3, wait: { initial: 100 }, when: (error) => !(error instanceof EgressDeniedError) })
  async askUpstream(city: string, signal: AbortSignal): Promise<Response> {
    const url = new URL(this.config.settings.upstream_url);
    url.searchParams.set('q', city);
    url.searchParams.set('appid', this.config.settings.api_key);
    this.logger.debug('Asking the weather service', { url: url.href });
    // The host would ask again by itself; here @retry does, so that its options can be seen.
    return this.http.fetch(url, { signal, timeoutMs: 5_000, retry: false });
  }
}
