/** What the host and the data cell say to each other: one frame per message, on channel 0. */
import type { SqlStatement } from '@plexichat/sdk/protocol/capabilities/db';
import type { Table } from '@plexichat/sdk/protocol/manifest-database';
import { type Static, Type } from 'typebox';

export interface DataDeclaration {
  readonly tables: readonly Table[];
  readonly quotaMb: number;
}

/** Carried out one after the other, in the order in which they come. */
export type DataRequest = { readonly id: number; readonly module: string } & DataWork;

export type DataWork =
  /** Creates and migrates the tables. */
  | { readonly op: 'open'; readonly declaration: DataDeclaration }
  | {
      readonly op: 'run';
      readonly statements: readonly SqlStatement[];
      /** In the open transaction. */
      readonly inside: boolean;
      /** They may have been carried out before. */
      readonly retried: boolean;
    }
  | { readonly op: 'begin' | 'commit' | 'rollback' };

const FailureSchema = Type.Tuple([Type.String({ maxLength: 50 }), Type.String({ maxLength: 20_000 })]);

/** Of one statement: its result is the next part of the frame, it was left for later, or why it failed. */
export const DataAnswerSchema = Type.Union([Type.Literal('result'), Type.Literal('later'), FailureSchema]);
export type DataAnswer = Static<typeof DataAnswerSchema>;

/** Several may come for one request, each with more answers; the last one says so. Of id 0: the cell is ready. */
export const DataReplySchema = Type.Tuple([
  Type.Integer({ minimum: 0 }),
  Type.Boolean({ description: 'The last one.' }),
  Type.Array(DataAnswerSchema, { maxItems: 64 }),
  Type.Boolean({ description: 'Memory ran out: what is left is in pieces, and the cell should be started anew.' }),
]);
export type DataReply = Static<typeof DataReplySchema>;
