/** The types of methods that modules offer and call. Types only: nothing of this file exists at run time. */
import type { Static, TSchema } from 'typebox';
import type { MethodContext } from './method-context.ts';
import type { MethodOptions } from './records.ts';

/** What a method is given: what its schema says; without one nobody has checked it. */
export type ArgsOf<Options> = Options extends { readonly params: infer Schema }
  ? Schema extends TSchema
    ? Static<Schema>
    : unknown
  : unknown;

/** Refuses keys that MethodOptions does not know: type parameters escape TypeScript's own check. */
export type ExactMethod<Options> = Options & { readonly [Key in Exclude<keyof Options, keyof MethodOptions>]: never };

/** Never satisfied; its name is what the compiler prints. */
export interface MethodAsksForOtherArguments<Offered> {
  readonly '~offered': Offered;
}

/** A method that the schema's arguments fit. */
export type FittingMethod<Handler, Offered> = Handler extends (args: infer Args, context: infer Context) => unknown
  ? [Offered] extends [Args]
    ? [MethodContext] extends [Context]
      ? unknown
      : MethodAsksForOtherArguments<Offered>
    : MethodAsksForOtherArguments<Offered>
  : MethodAsksForOtherArguments<Offered>;

/** Plain JSON, as it is on the other side. */
type Method = (args: never, ...rest: never[]) => unknown;

/**
 * The methods of another module, by name, as `this.modules.of` takes them: written down by hand, or taken from its class
 * with MethodsOf.
 * @example
 * interface Glossary {
 *   lookup(args: { term: string }): string | null;
 * }
 * const glossary = this.modules.of<Glossary>('glossary');
 */
export type ModuleMethods<Methods> = { readonly [Name in keyof Methods]: Method };

/**
 * Those methods of a module's class that are named, with what they take and give. Import the class as a type, so that
 * nothing of it is bundled.
 * @example
 * import type Glossary from '../glossary/module.ts';
 * const glossary = this.modules.of<MethodsOf<Glossary, 'lookup'>>('glossary');
 */
export type MethodsOf<Module, Names extends keyof Module> = {
  readonly [Name in Names]: Module[Name] extends (...given: infer Given) => infer Result
    ? (args: Given extends [infer Args, ...unknown[]] ? Args : null) => Awaited<Result>
    : never;
};

/** What it gives, as JSON brings it over. */
export type MethodResult<Methods, Name extends keyof Methods> = Methods[Name] extends (
  ...given: never[]
) => infer Result
  ? Awaited<Result>
  : never;
