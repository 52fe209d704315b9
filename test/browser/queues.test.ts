import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingBrowser, openPage, startBrowser, type WatchedPage } from '../support/browser.ts';
import { type ConsoleHost, startConsoleHost } from '../support/console-host.ts';
import { missingRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

/** The page's head has a menu too. */
const QUEUE_MENU = '[aria-haspopup=menu]:not(header *)';

const missing = missingBrowser ?? missingRedis;
if (missing !== undefined) {
  if (process.env.CI) throw new Error(missing);
  console.warn(`The console is not tested in a browser: ${missing}`);
}

describe.skipIf(missing !== undefined)('the console in a browser', () => {
  let host: ConsoleHost;
  let browser: Browser;
  let watched: WatchedPage;
  beforeAll(async () => {
    [host, browser] = await Promise.all([startConsoleHost({ loginsPerMinute: 100 }), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });
  afterEach(async () => {
    await watched?.page.context().close();
  });

  /** A browser of its own, signed in by a link. */
  async function signIn(permissions = ['modules:manage'], url = host.url): Promise<Page> {
    watched = await openPage(browser, url);
    await watched.page.goto(url + host.console.issueLogin('ann', permissions));
    await watched.page.waitForURL('**/console/queues');
    return watched.page;
  }

  const queue = () => {
    const [weather] = host.queues;
    if (weather === undefined) throw new Error('The host has no queue.');
    return weather;
  };
  const expectNoComplaints = () => {
    expect(watched.complaints).toEqual([]);
    expect(watched.strangers).toEqual([]);
  };

  it('a login link signs in once', async () => {
    watched = await openPage(browser, host.url);
    const { page } = watched;
    const link = host.url + host.console.issueLogin('ann', ['modules:read']);
    await page.goto(link);
    await page.waitForURL('**/console/queues');
    await page.getByText('weather').first().waitFor();
    expectNoComplaints();
    const [cookie] = await page.context().cookies(`${host.url}/console`);
    expect(cookie).toMatchObject({
      name: `plexi_session_${new URL(host.url).port}`,
      httpOnly: true,
      sameSite: 'Strict',
      path: '/console',
    });

    const stranger = await openPage(browser, host.url);
    const second = await stranger.page.goto(link);
    expect(second?.status()).toBe(403);
    expect(await stranger.page.getByRole('alert').textContent()).toContain('used before');
    await stranger.page.goto(`${host.url}/console/queues`);
    expect(stranger.page.url()).toBe(`${host.url}/console/login`);
    await stranger.page.context().close();
  });

  it('a login link works from a page of another site', async () => {
    const elsewhere = await serveElsewhere(
      `<a href="${host.url}${host.console.issueLogin('ann', ['modules:read'])}">in</a>`,
    );
    watched = await openPage(browser, host.url, elsewhere.url);
    await watched.page.goto(elsewhere.url);
    await watched.page.getByRole('link').click();
    await watched.page.waitForURL('**/console/queues');
    await watched.page.getByText('weather').first().waitFor();
    elsewhere.close();
  });

  it('a key signs in by the form, and signing out is the end of it', async () => {
    watched = await openPage(browser, host.url);
    const { page } = watched;
    await page.goto(`${host.url}/console/queues`);
    await page.getByLabel('API key or token').fill('plexi_not-a-key');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The API key is not known.').waitFor();
    await page.getByLabel('API key or token').fill(host.apiKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/console/queues');
    await page.goto(`${host.url}/console/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/console/login');
    await page.goto(`${host.url}/console/queues`);
    expect(page.url()).toBe(`${host.url}/console/login`);
    // The refused key, which browsers write down.
    expect(watched.complaints).toEqual([expect.stringContaining('401')]);
  });

  it('shows queues and jobs without a complaint, and runs nothing of what a job says', async () => {
    const page = await signIn();
    await page.goto(`${host.url}/console/queues/queue/weather?status=completed`);
    await page.getByText('"Oslo"').waitFor();
    for (const name of ['Progress', 'Options', 'Logs']) await page.getByRole('tab', { name }).click();
    await page.getByText('looking:').waitFor();
    await page.goto(`${host.url}/console/queues/queue/weather?status=failed`);
    await page.getByText('MODULE_ERROR').waitFor();
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
    expectNoComplaints();
  });

  it('shows queues that come and go', async () => {
    const page = await signIn();
    await page.getByText('digest').first().waitFor();
    const digest = host.queues.pop();
    host.changed();
    await page.reload();
    await page.getByText('weather').first().waitFor();
    expect(await page.getByText('digest').count()).toBe(0);
    if (digest !== undefined) host.queues.push(digest);
    host.changed();
    await page.reload();
    await page.getByText('digest').first().waitFor();
  });

  it('pauses a queue and retries a job', async () => {
    const page = await signIn();
    await page.goto(`${host.url}/console/queues/queue/weather?status=failed`);
    await act(page, 'Pause');
    await until(() => queue().isPaused());
    await act(page, 'Resume');
    await until(async () => !(await queue().isPaused()));
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await until(async () => (await queue().getJobCounts('failed')).failed === 0);
    expect(host.actions).toContain('ann PUT /queues/weather/pause 200');
    await until(() => host.actions.includes('ann PUT /queues/weather/retry/failed 200'));
    expectNoComplaints();
  });

  it('says why it does not let jobs be made by hand, in an editor that its policy lets be', async () => {
    const page = await signIn();
    await page.goto(`${host.url}/console/queues/queue/weather`);
    const before = await queue().count();
    await page.locator(QUEUE_MENU).click();
    await page.getByRole('menuitem', { name: 'Add job' }).click();
    await page.locator('.cm-editor').first().waitFor();
    expectNoComplaints();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('belong to their modules').waitFor();
    expect(await queue().count()).toBe(before);
  });

  it('shows no buttons to who may only look, and refuses what they would do', async () => {
    const page = await signIn(['modules:read']);
    await page.goto(`${host.url}/console/queues/queue/weather`);
    await page.getByText('refresh').first().waitFor();
    expect(await page.getByRole('button', { name: /Retry|Clean/ }).count()).toBe(0);
    const statuses = await page.evaluate(`Promise.all([{ 'x-plexi-page-key': localStorage['plexi-page-key'] }, {}].map(
      (headers) => fetch('/console/queues/api/queues/weather/pause', { method: 'PUT', headers }).then(({ status }) => status),
    ))`);
    expect(statuses).toEqual([403, 401]);
    expect(await queue().isPaused()).toBe(false);
  });

  it('what a server on another port of the machine gets of a session opens nothing', async () => {
    const page = await signIn();
    const got: string[] = [];
    const elsewhere = await serveElsewhere('<p>hello</p>', ({ headers }) => got.push(headers.cookie ?? ''));
    await page.goto(`${elsewhere.url}/console/`);
    const [cookie = ''] = got;
    expect(cookie).toContain('plexi_session_');
    expect(await page.evaluate("localStorage.getItem('plexi-page-key')")).toBeNull();
    const asked = await fetch(`${host.url}/console/queues/api/queues`, { headers: { cookie } });
    expect(asked.status).toBe(401);
    elsewhere.close();
  });

  it('pictures on a page of another site keep no operator out', async () => {
    const link = host.url + host.console.issueLogin('ann', ['modules:read']);
    const pictures = Array.from({ length: 200 }, (_, count) => `<img src="${host.url}/console/login?code=${count}">`);
    const elsewhere = await serveElsewhere(`${pictures.join('')}<img src="${link}">`);
    watched = await openPage(browser, host.url, elsewhere.url);
    await watched.page.goto(elsewhere.url, { waitUntil: 'load' });
    await watched.page.goto(link);
    await watched.page.waitForURL('**/console/queues');
    await watched.page.getByText('weather').first().waitFor();
    elsewhere.close();
  });

  it('goes to the login page when the session has ended', async () => {
    const page = await signIn();
    await page.context().clearCookies();
    await page.waitForURL('**/console/login', { timeout: 20_000 });
  });

  it('works by plain HTTP on a name of the network, where browsers say less', async () => {
    const url = host.url.replace('127.0.0.1', 'plexi.test');
    const page = await signIn(['modules:manage'], url);
    await page.goto(`${url}/console/queues/queue/weather`);
    await act(page, 'Pause');
    await until(() => queue().isPaused());
    await act(page, 'Resume');
    await until(async () => !(await queue().isPaused()));
  });

  it.each(['evil.test', 'evil.plexi.test'])('is not steered by a page of %s', async (name) => {
    const url = host.url.replace('127.0.0.1', 'plexi.test');
    const page = await signIn(['modules:manage'], url);
    const target = `${url}/console/queues/api/queues/weather/pause`;
    const elsewhere = await serveElsewhere(
      `<form method="post" action="${target}"><input name="a" value="b"></form><iframe src="${url}/console/queues"></iframe>`,
    );
    await page.goto(elsewhere.url.replace('127.0.0.1', name));
    for (const init of ["method: 'PUT'", "method: 'POST', mode: 'no-cors', body: '{}'"]) {
      await page.evaluate(`fetch('${target}', { ${init}, credentials: 'include' }).catch(() => {})`);
    }
    const posted = page.waitForResponse(
      (response) => response.url() === target && response.request().isNavigationRequest(),
    );
    await page.evaluate('document.forms[0].submit()');
    expect((await posted).status()).toBe(403);
    expect(await queue().isPaused()).toBe(false);
    elsewhere.close();
  });

  async function act(page: Page, name: string): Promise<void> {
    await page.locator(QUEUE_MENU).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    const confirm = page.getByRole('button', { name: 'Confirm' });
    if (name === 'Pause') await confirm.click();
    else if (await confirm.isVisible()) await confirm.click();
  }
});

async function serveElsewhere(
  page: string,
  onRequest: (request: IncomingMessage) => void = () => {},
): Promise<{ url: string; close(): void }> {
  const server: Server = createServer((request, response) => {
    onRequest(request);
    response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
