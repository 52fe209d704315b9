/** What operators send to change settings. Which settings there are is the module's business; the shape is checked here. */
import { Type } from 'typebox';
import { readSchema } from '../policy/schema.ts';
import { compileValue, type InputRules, validateInput } from '../policy/validate.ts';

const SETTINGS_BODY: InputRules = {
  body: compileValue(
    readSchema(
      Type.Object({ values: Type.Object({}, { additionalProperties: true }) }, { additionalProperties: false }),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
export function readSettingsBody(body: unknown): Readonly<Record<string, unknown>> {
  validateInput(SETTINGS_BODY, {}, {}, body);
  return (body as { values: Record<string, unknown> }).values;
}

const MAX_NAMES = 100;
const MAX_NAME = 100;

/** For the audit: which settings, of the first level, never their values. */
export function namesOf(patch: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(patch)
    .slice(0, MAX_NAMES)
    .map((name) => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name));
}
