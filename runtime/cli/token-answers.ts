/** What the host answers about tokens, as these commands read it. Keys that a newer host adds are let through. */
import { type Static, Type } from 'typebox';

const Text = Type.String({ maxLength: 1_000 });
const Name = Type.String({ minLength: 1, maxLength: 400 });
const Moment = Type.String({ maxLength: 40 });
const maybe = <Schema extends typeof Text>(schema: Schema) => Type.Union([schema, Type.Null()]);

export const TokenViewSchema = Type.Object({
  id: Name,
  kind: Name,
  name: Text,
  sub: Text,
  tier: Name,
  permissions: Type.Array(Text, { maxItems: 1_000 }),
  prefix: maybe(Text),
  made_at: Moment,
  made_by: Text,
  expires_at: Moment,
  used_at: maybe(Moment),
  revoked_at: maybe(Moment),
});
export type TokenAnswer = Static<typeof TokenViewSchema>;

export const TokensAnswerSchema = Type.Object({
  tokens: Type.Array(Type.Unknown(), { maxItems: 10_000 }),
  next: Type.Optional(maybe(Text)),
});

/** One word: it is printed for a person to copy. */
export const MadeTokenSchema = Type.Object({
  ...TokenViewSchema.properties,
  credential: Type.String({ pattern: '^[\\x21-\\x7e]{1,8192}$' }),
});
