import { type Static, Type } from '@plexichat/sdk';

const TagSchema = Type.String({ minLength: 1, maxLength: 40 });

export const NoteSchema = Type.Object({
  id: Type.Integer(),
  title: Type.String(),
  text: Type.String(),
  tags: Type.Array(Type.String()),
  pinned: Type.Boolean(),
  changed_at: Type.String({ description: 'ISO 8601, UTC' }),
});
export type Note = Static<typeof NoteSchema>;

export const NoteInputSchema = Type.Object({
  title: Type.String({ minLength: 1, maxLength: 200 }),
  text: Type.Optional(Type.String({ maxLength: 20_000 })),
  tags: Type.Optional(Type.Array(TagSchema, { maxItems: 20 })),
  pinned: Type.Optional(Type.Boolean()),
});

export const NoteIdSchema = Type.Object({ id: Type.Integer({ minimum: 1 }) });

export const MergeSchema = Type.Object({ from: Type.Integer({ minimum: 1, description: 'The note that goes.' }) });

export const SearchSchema = Type.Object({
  tag: Type.Optional(TagSchema),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});
