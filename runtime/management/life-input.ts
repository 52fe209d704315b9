/** What operators send to the routes of modules' lives. All of it is checked here. */
import { Type } from 'typebox';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, compileValue, type InputRules, validateInput } from '../policy/validate.ts';

const CLOSED = { additionalProperties: false };

const ROLLBACK_BODY: InputRules = {
  body: compileValue(readSchema(Type.Object({ version: Type.String({ minLength: 1, maxLength: 100 }) }, CLOSED))),
};

/** @throws PlexiError INVALID_INPUT */
export function readRollback(body: unknown): string {
  validateInput(ROLLBACK_BODY, {}, {}, body);
  return (body as { version: string }).version;
}

const REMOVE_QUERY: InputRules = {
  query: compileRecord(readSchema(Type.Object({ purge: Type.Optional(Type.Boolean()) }, CLOSED))),
};

/** @throws PlexiError INVALID_INPUT */
export function readPurge(url: string): boolean {
  const { query } = validateInput(REMOVE_QUERY, {}, parseQuery(new URL(url).search.slice(1)), undefined);
  return query.purge === true;
}
