/** What the host answers about modules and secrets, as these commands read it. Keys that a newer host adds are let through. */
import { type Static, Type } from 'typebox';

const Text = Type.String({ maxLength: 20_000 });
const Name = Type.String({ minLength: 1, maxLength: 400 });
const Moment = Type.Union([Type.String({ maxLength: 40 }), Type.Null()]);
const Rows = Type.Array(Type.Unknown(), { maxItems: 100_000 });
const Risk = Type.Enum(['low', 'medium', 'high']);

const AskedSchema = Type.Object({
  permission: Name,
  risk: Risk,
  sentence: Text,
  required: Type.Boolean(),
  granted: Type.Boolean(),
});
export type AskedAnswer = Static<typeof AskedSchema>;

export const ModuleViewSchema = Type.Object({
  name: Name,
  version: Name,
  state: Name,
  reasons: Type.Array(Text, { maxItems: 1_000 }),
  permissions: Type.Object({
    asked: Type.Array(AskedSchema, { maxItems: 1_000 }),
    granted: Type.Array(
      Type.Object({ permission: Name, source: Name, granted_by: Type.Union([Text, Type.Null()]), granted_at: Moment }),
      { maxItems: 10_000 },
    ),
    unused: Type.Array(Name, { maxItems: 10_000 }),
    waits_for: Type.Array(Name, { maxItems: 1_000 }),
  }),
});
export type ModuleAnswer = Static<typeof ModuleViewSchema>;

export const BrokenSchema = Type.Object({ name: Name, reasons: Type.Array(Text, { maxItems: 1_000 }) });
export const ModulesAnswerSchema = Type.Object({ modules: Rows, broken: Type.Optional(Rows) });

export const SecretViewSchema = Type.Object({
  setting: Name,
  value: Type.Union([Type.Literal('***'), Type.Null()]),
  source: Type.Union([Name, Type.Null()]),
  set_by: Type.Union([Text, Type.Null()]),
  set_at: Moment,
});
export type SecretAnswer = Static<typeof SecretViewSchema>;
export const SecretsAnswerSchema = Type.Object({ secrets: Rows });
export const SecretSetSchema = Type.Object({ module: Name, setting: Name, value: Type.Literal('***') });
export const RotatedSchema = Type.Object({ sealed: Type.Integer({ minimum: 0 }) });
