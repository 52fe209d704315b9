/** What the host answers about settings, as these commands read it. Keys that a newer host adds are let through. */
import { type Static, Type } from 'typebox';

const Text = Type.String({ maxLength: 20_000 });
const Name = Type.String({ minLength: 1, maxLength: 4_000 });
const Names = Type.Array(Name, { maxItems: 10_000 });
const Anything = Type.Record(Type.String(), Type.Unknown());

export const SettingsAnswerSchema = Type.Object({
  module: Name,
  version: Name,
  schema: Anything,
  values: Anything,
  sources: Type.Record(Type.String(), Text),
  overridden: Type.Record(Type.String(), Text),
  missing: Names,
  dropped: Type.Array(Type.Object({ setting: Name, message: Text }), { maxItems: 10_000 }),
});
export type SettingsAnswer = Static<typeof SettingsAnswerSchema>;

export const ChangedSettingsSchema = Type.Object({
  ...SettingsAnswerSchema.properties,
  effect: Name,
  state: Name,
  reasons: Type.Array(Text, { maxItems: 1_000 }),
});
export type ChangedSettingsAnswer = Static<typeof ChangedSettingsSchema>;
