import { BaseModule, type EndpointContext, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';

const ActionSchema = Type.Object({
  action: Type.Union([Type.Literal('archive'), Type.Literal('restore')]),
  items: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 100 }),
});

const GreetSchema = Type.Object({ name: Type.String({ minLength: 1, maxLength: 80 }) });

export default class ExampleModule extends BaseModule<{ greeting: string }> {
  #actions = 0;

  override initialize() {
    this.logger.info('Initializing Example Module');
  }

  override shutdown() {
    this.logger.info('Shutting down Example Module', { actions: this.#actions });
  }

  @moduleEndpoint('GET /status', { permissions: ['read'] })
  getStatus() {
    return { status: 'active', version: this.config.moduleVersion, actions: this.#actions };
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
    query: GreetSchema,
  })
  greet({ query, user }: EndpointContext<{ query: typeof GreetSchema }>) {
    return { greeting: `${this.config.settings.greeting}, ${query.name}!`, from: user?.id };
  }
}
