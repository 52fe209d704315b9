/** `POST /api/v1/events`: how the chat host tells modules what happened. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { EVENT_NAME_PATTERN, isModuleEvent, MAX_EVENT_DATA, MAX_EVENT_NAME } from '@plexichat/sdk/protocol/event-names';
import { Hono } from 'hono';
import { Type } from 'typebox';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import { readSchema } from '../policy/schema.ts';
import { compileValue, type InputRules, validateInput } from '../policy/validate.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { refuseQuery } from './task-input.ts';

export interface EventDoor {
  /**
   * @param data JSON text
   * @throws PlexiError MODULE_UNAVAILABLE while the host is being stopped
   */
  publish(name: string, data: string): { readonly id: string; readonly subscribers: number };
}

export interface EventRouteParts {
  readonly authenticate: Authenticate;
  readonly events: EventDoor;
}

/** Per minute and operator: a busy chat host says a thousand things a second. */
const EVENTS = 60_000;
/** Name and data: a character takes at least one byte, so the data is never above its own limit. */
const MAX_BYTES = MAX_EVENT_DATA;

export function eventRoutes({ authenticate, events }: EventRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayTell = [operatorsOnly(authenticate, 'modules:manage'), limitOperators(EVENTS)] as const;
  routes.post('/', ...mayTell, async (context) => {
    refuseQuery(context.req.url);
    const { name, data } = readEvent(await receiveJson(context, MAX_BYTES));
    return context.json(events.publish(name, data), 202);
  });
  routes.all('/', operatorsOnly(authenticate, 'modules:manage'), () => {
    throw new PlexiError('METHOD_NOT_ALLOWED', 'Only POST is allowed here.', { headers: { allow: 'POST' } });
  });
  return routes;
}

const BODY: InputRules = {
  body: compileValue(
    readSchema(
      Type.Object(
        {
          name: Type.String({ pattern: EVENT_NAME_PATTERN, maxLength: MAX_EVENT_NAME }),
          data: Type.Optional(Type.Unknown()),
        },
        { additionalProperties: false },
      ),
    ),
  ),
};

/** @throws PlexiError INVALID_INPUT */
function readEvent(body: unknown): { readonly name: string; readonly data: string } {
  validateInput(BODY, {}, {}, body ?? {});
  const { name, data = null } = body as { name: string; data?: unknown };
  if (isModuleEvent(name)) refuse('/body/name', 'must not begin with "module.": those are what modules emit');
  const text = JSON.stringify(data);
  // Numbers and escapes may have grown.
  if (text.length > MAX_EVENT_DATA) {
    refuse('/body/data', `must have at most ${MAX_EVENT_DATA} characters as JSON, has ${text.length}`);
  }
  return { name, data: text };
}

function refuse(path: string, message: string): never {
  throw new PlexiError('INVALID_INPUT', 'One value is not valid.', { errors: [{ path, message }] });
}
