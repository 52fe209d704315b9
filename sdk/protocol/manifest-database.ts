/** The `database` part of config.yaml: tables that the host creates and migrates. */
import { type Static, Type } from 'typebox';

export const COLUMN_TYPES = ['integer', 'real', 'text', 'blob', 'boolean', 'datetime', 'json'] as const;

const SqlNameSchema = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,62}$',
  patternErrorMessage: 'up to 63 lower-case letters, digits and "_", starting with a letter',
});

export const ColumnSchema = Type.Object(
  {
    name: SqlNameSchema,
    type: Type.Enum(COLUMN_TYPES, { description: 'What the column holds.' }),
    primary_key: Type.Optional(Type.Boolean({ description: 'Part of the primary key.' })),
    nullable: Type.Optional(Type.Boolean({ description: 'Whether NULL is allowed. Default: no.' })),
    unique: Type.Optional(Type.Boolean({ description: 'No two rows have the same value.' })),
    default: Type.Optional(
      Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean(), Type.Null()], {
        description: 'The value of a row that names none.',
      }),
    ),
    max_length: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Characters; for text columns.' }),
    ),
  },
  { additionalProperties: false },
);
export type Column = Static<typeof ColumnSchema>;

export const IndexSchema = Type.Object(
  {
    name: Type.Optional(SqlNameSchema),
    columns: Type.Array(SqlNameSchema, { minItems: 1, maxItems: 16, uniqueItems: true }),
    unique: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type TableIndex = Static<typeof IndexSchema>;

export const TableSchema = Type.Object(
  {
    name: SqlNameSchema,
    columns: Type.Array(ColumnSchema, { minItems: 1, maxItems: 100 }),
    indexes: Type.Optional(Type.Array(IndexSchema, { maxItems: 32 })),
  },
  { additionalProperties: false },
);
export type Table = Static<typeof TableSchema>;

export const DatabaseSchema = Type.Object(
  {
    enabled: Type.Boolean({ default: false, description: 'Whether the module has a database of its own.' }),
    tables: Type.Array(TableSchema, { default: [], maxItems: 100, description: 'Created and migrated by the host.' }),
    quota_mb: Type.Integer({ default: 100, minimum: 1, maximum: 102_400, description: 'The size it may grow to.' }),
  },
  { additionalProperties: false, default: {}, description: 'A SQLite database of the module’s own.' },
);
