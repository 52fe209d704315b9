import { BaseModule, type EndpointContext, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';

const ActionSchema = Type.Object({
  action: Type.Union([Type.Literal('archive'), Type.Literal('restore')]),
  items: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 100 }),
});

export default class ExampleModule extends BaseModule<{ greeting: string }> {
  #actions = 0;

  override async initialize() {
    this.logger.info('Initializing Example Module');
  }

  @moduleEndpoint('GET /status', { permissions: ['read'] })
  getStatus() {
    return { status: 'active', version: this.config.version, actions: this.#actions };
  }

  @moduleEndpoint('POST /action', { permissions: ['write'], rateLimit: 10, body: ActionSchema })
  performAction({ body }: EndpointContext<{ body: typeof ActionSchema }>) {
    if (body.items.includes(13)) throw new HttpError(409, 'Item 13 cannot be touched');
    this.#actions += 1;
    return { success: true, message: `${body.action} done`, items: body.items.length };
  }

  @moduleEndpoint('GET /greet', {
    permissions: ['read'],
    userTiers: ['premium', 'admin'],
    cacheTtl: 60,
    query: Type.Object({ name: Type.String({ minLength: 1, maxLength: 80 }) }),
  })
  greet({ query, user }: EndpointContext<{ query: { name: string } }>) {
    return { greeting: `${this.config.settings.greeting}, ${query.name}!`, from: user?.id };
  }
}
