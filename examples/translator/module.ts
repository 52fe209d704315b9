import { BaseModule, type EndpointContext, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';

const Wish = Type.Object({
  text: Type.String({ minLength: 1, maxLength: 2_000 }),
  to: Type.Union([Type.Literal('de'), Type.Literal('fr')]),
});

const Translation = Type.Object({
  text: Type.String(),
  terms: Type.Array(Type.String(), { description: 'Words of the house that were kept as the glossary says them' }),
});

/** What this module knows of the other one: its author's word, so the host checks nothing of it on this side. */
interface GlossaryMethods {
  find(args: { text: string; to: string }): { term: string; as: string }[];
}

interface TranslatorSettings {
  upstream_url: string;
  api_key: string;
}

export default class Translator extends BaseModule<TranslatorSettings> {
  readonly #glossary = this.modules.of<GlossaryMethods>('glossary');

  @moduleEndpoint('POST /translate', { permissions: ['read'], body: Wish, response: Translation, timeout: 10 })
  async translate({ body, signal }: EndpointContext<{ body: typeof Wish }>) {
    const terms = await this.#terms(body, signal);
    const reply = await this.http.fetch(this.config.settings.upstream_url, {
      method: 'POST',
      // In here api_key is {{secret.api_key}}: the key itself never enters the module.
      headers: { authorization: `Bearer ${this.config.settings.api_key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text: body.text, to: body.to, glossary: terms }),
      signal,
      timeoutMs: 5_000,
    });
    if (!reply.ok) {
      this.logger.warn('The translation service refused', { status: reply.status });
      throw new HttpError(502, 'The translation service has a problem; please try again later');
    }
    const { text } = (await reply.json()) as { text?: string };
    return { text, terms: terms.map(({ term }) => term) };
  }

  /** With the signal of the request the glossary is told whose it is, and gets no more time than is left. */
  async #terms(wish: { text: string; to: string }, signal: AbortSignal): Promise<{ term: string; as: string }[]> {
    try {
      return await this.#glossary.call('find', wish, { signal, timeoutMs: 2_000 });
    } catch (error) {
      if (signal.aborted) throw error;
      this.logger.warn('Translating without the glossary', { reason: String(error) });
      return [];
    }
  }
}
