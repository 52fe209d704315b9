/** `log`: the module's lines, sent in batches; never answers with anything. */
import { type Static, Type } from 'typebox';

export const LOG_LINE_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export const LogLevelSchema = Type.Union([
  Type.Literal('debug'),
  Type.Literal('info'),
  Type.Literal('warn'),
  Type.Literal('error'),
]);
export type LogLevel = Static<typeof LogLevelSchema>;

/** JSON, cut when it is longer. */
const FieldsSchema = Type.String({ maxLength: 8_000 });
const MessageSchema = Type.String({ maxLength: 8_000 });

export const LogLinesSchema = Type.Array(
  Type.Union([Type.Tuple([LogLevelSchema, MessageSchema]), Type.Tuple([LogLevelSchema, MessageSchema, FieldsSchema])]),
  { maxItems: 250 },
);

export const LOG_METHODS = {
  write: { args: Type.Tuple([LogLinesSchema]), result: Type.Unknown() },
} as const;
