/** The gateway with a console and no queues: what stands between strangers and the pages of operators. */
import { createHash } from 'node:crypto';
import { vi } from 'vitest';
import { type ConsoleOptions, createConsole } from '../../runtime/console/console.ts';
import { PAGE_KEY_HEADER } from '../../runtime/console/operator-of.ts';
import type { BoardAction } from '../../runtime/console/queue-routes.ts';
import { fakeGateway, fakeModule, SECRET } from './fake-modules.ts';

export const KEY = 'plexi_a-key-for-tests';
const NO_QUEUES: ConsoleOptions['desk'] = { queues: () => [], onQueues: () => {} };
export const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
export const JSON_TYPE = { 'content-type': 'application/json' };
export const PAGE = '/console/queues';
export const QUEUES = `${PAGE}/api/queues`;

export function consoleDoor(options: Partial<ConsoleOptions> = {}) {
  const onAction = vi.fn((_operator: unknown, _action: BoardAction) => {});
  const console = createConsole({ desk: NO_QUEUES, onAction, ...options });
  const gateway = fakeGateway([fakeModule({ endpoints: { 'GET /': {} } })], {
    auth: {
      secret: SECRET,
      apiKeys: [
        {
          id: 'key-1',
          sha256: createHash('sha256').update(KEY).digest('hex'),
          sub: 'ann',
          tier: 'basic',
          permissions: ['modules:manage'],
        },
      ],
    },
    mount: (platform, tools) => console.mount(platform, tools),
  });
  const get = (path: string, headers: Record<string, string> = {}) => gateway.request(path, { headers });
  const signIn = async (permissions = ['modules:manage'], host = 'localhost'): Promise<Record<string, string>> => {
    const response = await get(console.issueLogin('ann', permissions), { host });
    const [, key = ''] = /name="page-key" content="([\w-]+)"/.exec(await response.text()) ?? [];
    return { cookie: cookieOf(response), [PAGE_KEY_HEADER]: key };
  };
  const login = (credential: unknown, headers: Record<string, string> = SAME_ORIGIN) =>
    gateway.request('/console/login', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify({ credential }),
    });
  return { console, gateway, get, signIn, login, onAction };
}

export function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
