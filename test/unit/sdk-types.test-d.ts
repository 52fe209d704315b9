/** What the compiler must accept and refuse of an author. Checked by tsc, never run. */
import {
  BaseModule,
  cacheResult,
  type EndpointContext,
  moduleEndpoint,
  moduleTask,
  retry,
  type TaskContext,
  Type,
  UnrecoverableError,
} from '@plexichat/sdk';

const Params = Type.Object({ id: Type.Integer() });
const Note = Type.Object({ title: Type.String(), tags: Type.Optional(Type.Array(Type.String())) });

export class Accepted extends BaseModule<{ api_key: string }> {
  @moduleEndpoint('GET /weather/:city')
  async byPath({ params, user, signal }: EndpointContext<{ params: { city: string } }>): Promise<unknown> {
    const key: string = this.config.settings.api_key;
    const version: string = this.config.moduleVersion;
    const same: string = this.config.module_version;
    const limit: number = this.config.api.rateLimit;
    return { city: params.city, key, version, same, limit, user: user?.id, aborted: signal.aborted };
  }

  @moduleEndpoint('POST /notes/:id', { params: Params, body: Note, permissions: ['write'] })
  bySchema({ params, body }: EndpointContext<{ params: typeof Params; body: typeof Note }>) {
    const id: number = params.id;
    const tags: string[] | undefined = body.tags;
    return { id, tags, title: body.title };
  }

  @moduleEndpoint('PUT /notes/:id', { params: Params, body: Note })
  byTypes({ params, body }: EndpointContext<{ params: { id: number }; body: { title: string } }>) {
    return { id: params.id, title: body.title };
  }

  @moduleEndpoint('GET /plain')
  plain(context: EndpointContext) {
    return context.json({ query: context.query.q ?? null, body: context.body });
  }

  @moduleEndpoint('GET /nothing')
  nothing() {}

  @moduleTask({ schedule: '0 2 * * *', priority: 'high' })
  async task() {}

  @moduleTask({ schedule: false, overlap: 'queue', missed: 'run-once', timezone: 'UTC', retryCount: 2, timeout: 60 })
  async taskWithData({ job, signal, progress, log }: TaskContext<{ days: number }>) {
    const days: number = job.data.days;
    const slot: string | null = job.slot;
    const { id }: { id: string } = await this.tasks.enqueue('task', { days }, { delay: 60 });
    progress(50, 'half');
    log(`${job.name} ${job.id} ${job.attempt} ${slot} ${id}`);
    signal.throwIfAborted();
    throw new UnrecoverableError('no', { cause: id });
  }

  @moduleTask()
  taskOfUnknown({ job }: TaskContext): unknown {
    // @ts-expect-error nobody has said what the data is
    return job.data.days;
  }

  @cacheResult({ ttl: 60 })
  async remembered(city: string): Promise<number> {
    return city.length;
  }

  @retry({ attempts: 3, wait: { initial: 10 } })
  async tried(path: string): Promise<Response> {
    return this.http.fetch(path);
  }

  override setupRoutes() {
    this.router.get('/a/:b/c/:d', ({ params }) => {
      const both: string = params.b + params.d;
      // @ts-expect-error the path names no such parameter
      return both + params.e;
    });
    this.router.post('/n/:id', { params: Params, body: Note }, ({ params, body }) => ({
      id: params.id + 1,
      title: body.title,
    }));
    this.router.get('/files/*', ({ params }) => params['*'].length);
    // @ts-expect-error there is no such option
    this.router.get('/x', { permission: ['read'] }, () => 1);
  }
}

export class Refused extends BaseModule {
  // @ts-expect-error the schema gives a number
  @moduleEndpoint('GET /notes/:id', { params: Params })
  wrongType({ params }: EndpointContext<{ params: { id: string } }>) {
    return params.id;
  }

  // @ts-expect-error the path has no parameter "town"
  @moduleEndpoint('GET /weather/:city')
  wrongName({ params }: EndpointContext<{ params: { town: string } }>) {
    return params.town;
  }

  // @ts-expect-error the schema has no such field: a handler may not ask for more than the route gives
  @moduleEndpoint('POST /notes', { body: Note })
  asksForMore({ body }: EndpointContext<{ body: { title: string; author: string } }>) {
    return body.author;
  }

  // @ts-expect-error without a schema the body is unknown
  @moduleEndpoint('POST /notes')
  unchecked({ body }: EndpointContext<{ body: { title: string } }>) {
    return body.title;
  }

  // @ts-expect-error a route starts with a method
  @moduleEndpoint('/notes')
  noMethod() {}

  // @ts-expect-error HEAD is no method of an endpoint
  @moduleEndpoint('HEAD /notes')
  head() {}

  // @ts-expect-error there is no such option
  @moduleEndpoint('GET /typo', { rate_limit: 3 })
  typo() {}

  // @ts-expect-error there is no such tier
  @moduleEndpoint('GET /tier', { userTiers: ['gold'] })
  tier() {}

  // @ts-expect-error retry waits for a promise, so the method must give one
  @retry({ attempts: 2 })
  notAsync() {
    return 1;
  }

  // @ts-expect-error there is no such priority
  @moduleTask({ priority: 'hig' })
  priority() {}

  // @ts-expect-error there is no such overlap
  @moduleTask({ overlap: 'never' })
  overlap() {}

  // @ts-expect-error there is no such word for missed runs
  @moduleTask({ missed: 'run' })
  missed() {}

  // @ts-expect-error a schedule is cron, or false
  @moduleTask({ schedule: true })
  schedule() {}

  // @ts-expect-error there is no such option
  @moduleTask({ retries: 3 })
  taskOption() {}

  // @ts-expect-error retryCount is a number
  @moduleTask({ retryCount: '3' })
  retryCount() {}

  // @ts-expect-error a task has no request
  @moduleTask()
  endpointOfTask({ request }: EndpointContext) {
    return request.url;
  }

  // @ts-expect-error a task gets a context, not its data
  @moduleTask()
  taskOfText(data: string) {
    return data;
  }

  // @ts-expect-error a task gets one argument
  @moduleTask()
  taskOfTwo(context: TaskContext, more: string) {
    return [context, more];
  }

  async enqueue({ progress, log }: TaskContext) {
    // @ts-expect-error the delay is in seconds, and a number
    await this.tasks.enqueue('task', null, { delay: '60' });
    // @ts-expect-error there is no such option
    await this.tasks.enqueue('task', null, { delayMs: 60 });
    // @ts-expect-error percent is a number
    progress('50');
    // @ts-expect-error a line is a text
    log({ a: 1 });
  }

  settings() {
    // @ts-expect-error settings are read only
    this.config.settings.debug = true;
  }
}
