/** Modules that are not what they declared: the host believes what it learnt, and checks what it is told. */
import { type Abuse, type AbuseGiven, type AbuseOutcome, createAbuse } from './abuse.ts';

const USUAL: AbuseOutcome = { answers: ['200'], thread: 'lives', reasons: [], cell: 'lives', next: 'works' };
const INVALID = { answers: ['502 INVALID_MODULE_RESPONSE'] } as const;

/** A route of its own besides those that every abuse has. */
const declares = (name: string, routes: string, given: AbuseGiven = {}): Abuse =>
  createAbuse('answers', USUAL, name, {
    run: 'return {};',
    ...given,
    members: `constructor() { super(); const { router } = this; ${routes} }\n${given.members ?? ''}`,
  });
const SECRET = `'Bearer ' + JSON.stringify(context.user)`;

export const LIES: readonly Abuse[] = [
  declares(
    'results other than its schema says',
    `router.get('/lie', { response: Type.Object({ n: Type.Integer() }) }, () => ({ n: 'many' }));`,
    { ...INVALID, path: '/lie' },
  ),
  declares(
    'results with more than its schema says',
    `router.get('/lie', { response: Type.Object({ n: Type.Integer() }, { additionalProperties: false }) }, () => ({ n: 1, secret: 2 }));`,
    { ...INVALID, path: '/lie' },
  ),
  declares(
    'JSON that is none',
    `router.get('/lie', { response: Type.Object({ n: Type.Integer() }) }, () => new Response('{n:', { headers: { 'content-type': 'application/json' } }));`,
    { ...INVALID, path: '/lie' },
  ),
  declares(
    'a schema that changes when it runs',
    `const response = Type.Object({ n: Type.Integer() }); this.response = response; router.get('/lie', { response }, () => ({ n: 'many' }));`,
    {
      ...INVALID,
      path: '/lie',
      members: `initialize() { delete this.response.properties; delete this.response.required; this.response.type = 'string'; }`,
    },
  ),
  declares('a route that it adds when it runs', `this.added = [];`, {
    answers: ['404 NOT_FOUND'],
    path: '/late',
    members: `initialize() { try { this.router.get('/late', () => ({ late: true })); } catch {} }`,
  }),
  declares(
    'a permission that it drops when it runs',
    `const options = { permissions: ['read'], userTiers: ['admin'] }; this.options = options; router.get('/lie', options, (context) => ({ secret: ${SECRET} }));`,
    {
      answers: ['401 UNAUTHENTICATED'],
      path: '/lie',
      members: `initialize() { delete this.options.permissions; delete this.options.userTiers; }`,
    },
  ),
  declares('a handler that is gone when it runs', `router.get('/lie', () => ({}));`, {
    answers: ['500 MODULE_ERROR'],
    path: '/lie',
    next: 'works',
    members: `initialize() { const { get } = Map.prototype; Map.prototype.get = function (key) { return typeof key === 'string' && key.includes('lie') ? undefined : get.call(this, key); }; }`,
  }),
  declares('a route that is there every other time', `if (Math.random() < 0.5) router.get('/lie', () => ({}));`, {
    answers: ['200', '404 NOT_FOUND', '500 MODULE_ERROR', '502 INVALID_MODULE_RESPONSE'],
    path: '/lie',
  }),
  declares(
    'routes with names of chance',
    `for (let n = 0; n < 50; n++) router.get('/' + Math.random().toString(36).slice(2) + Date.now(), () => ({})); router.get('/lie', () => ({}));`,
    { path: '/lie' },
  ),
  declares(
    'a method that changes with the clock',
    `router[Date.now() % 2 === 0 ? 'post' : 'get']('/lie', () => ({}));`,
    { answers: ['200', '405 METHOD_NOT_ALLOWED', '500 MODULE_ERROR', '502 INVALID_MODULE_RESPONSE'], path: '/lie' },
  ),
  declares(
    'a schema that changes with its settings',
    `const { settings } = this.config; router.get('/lie', { response: settings.strict ? Type.Object({ n: Type.Integer() }) : Type.Any() }, () => { settings.strict = false; return { n: 'many' }; });`,
    {
      // Its settings are frozen: that it writes to them throws.
      answers: ['500 MODULE_ERROR'],
      path: '/lie',
      config: 'settings: { strict: true }',
    },
  ),
];
