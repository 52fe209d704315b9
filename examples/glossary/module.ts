import { BaseModule, type MethodContext, moduleEndpoint, moduleMethod, Type } from '@plexichat/sdk';

const Question = Type.Object({
  text: Type.String({ maxLength: 2_000 }),
  to: Type.String({ pattern: '^[a-z]{2}$' }),
});

const Found = Type.Array(Type.Object({ term: Type.String(), as: Type.String() }), { maxItems: 200 });

interface GlossarySettings {
  terms: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export default class Glossary extends BaseModule<GlossarySettings> {
  /** For other modules, with the permission modules:call:glossary. They get here what no client can ask for. */
  @moduleMethod({ params: Question, result: Found })
  find({ text, to }: { text: string; to: string }, { caller, user }: MethodContext) {
    this.logger.debug('Terms were asked for', { by: caller.module, for: user?.id ?? null });
    const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
    return this.#terms()
      .filter(([term, said]) => words.has(term.toLowerCase()) && Object.hasOwn(said, to))
      .map(([term, said]) => ({ term, as: said[to] }));
  }

  @moduleEndpoint('GET /terms', { permissions: ['read'], summary: 'All terms.' })
  list() {
    return { terms: this.#terms().map(([term]) => term) };
  }

  #terms() {
    return Object.entries(this.config.settings.terms);
  }
}
