/** What the compiler must accept and refuse of methods that modules offer and call. Checked by tsc, never run. */
import { BaseModule, type MethodContext, type MethodsOf, moduleMethod, Type } from '@plexichat/sdk';

const Question = Type.Object({ term: Type.String(), lang: Type.Optional(Type.String()) });

export class Glossary extends BaseModule {
  @moduleMethod({ params: Question, result: Type.Array(Type.String()) })
  lookup({ term, lang }: { term: string; lang?: string }, { caller, user, signal }: MethodContext): string[] {
    return [term, lang ?? '', caller.module, user?.id ?? '', String(signal.aborted)];
  }

  @moduleMethod()
  async all(args: unknown) {
    return { count: args === null ? 0 : 1 };
  }

  @moduleMethod({ timeout: 2 })
  nothing() {}

  // @ts-expect-error: the schema gives a string.
  @moduleMethod({ params: Question })
  wrongArgs({ term }: { term: number }) {
    return term;
  }

  // @ts-expect-error: without a schema nobody knows what comes.
  @moduleMethod()
  unchecked({ term }: { term: string }) {
    return term;
  }

  // @ts-expect-error: there is no such option.
  @moduleMethod({ parms: Question })
  typo() {}

  // @ts-expect-error: the context has no request.
  @moduleMethod()
  wrongContext(_args: unknown, context: { request: Request }) {
    return context.request;
  }
}

export class Caller extends BaseModule {
  async use(signal: AbortSignal): Promise<void> {
    const glossary = this.modules.of<MethodsOf<Glossary, 'lookup' | 'all'>>('glossary');
    const found: string[] = await glossary.call('lookup', { term: 'x' }, { signal, timeoutMs: 5 });
    const { count }: { count: number } = await glossary.call('all', null);
    const loose: unknown = await this.modules.call('glossary', 'lookup', { term: found[count] });
    const said = await this.modules.call<string>('glossary', 'lookup', { term: 'x' });
    const length: number = said.length;
    // @ts-expect-error: the method takes a term.
    await glossary.call('lookup', { word: 'x' });
    // @ts-expect-error: there is no such method.
    await glossary.call('remove', { term: 'x' });
    // @ts-expect-error: it gives a list of texts.
    const wrong: number = await glossary.call('lookup', { term: 'x' });
    this.logger.info('', { loose, length, wrong });
  }
}
