/** The console's own small pages. Without a script they can do nothing, so they say so. */
import { readFileSync } from 'node:fs';
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { GatewayEnv } from '../gateway/env.ts';
import { PAGE_HEADERS, pagePolicy } from './page-policy.ts';
import type { StartedSession } from './session.ts';

type Page = Response | Promise<Response>;
type Html = ReturnType<typeof html>;

/** @param problem why the last try did not work */
export function loginPage(context: Context<GatewayEnv>, status: 200 | 403, problem: string): Page {
  const body = html`<h1>Sign in to PlexiChat Modules</h1>
  <form>
    <label for="credential">API key or token</label>
    <input id="credential" name="credential" type="password" required autocomplete="off" spellcheck="false" autofocus>
    <button type="submit">Sign in</button>
  </form>
  <p role="alert">${problem}</p>
  <small>It needs the permission modules:read, or modules:manage to change something. The terminal of the host shows a link that signs in once.</small>
  ${NEEDS_SCRIPT}
  <script src="/console/assets/login.js" type="module"></script>`;
  return page(context, status, 'Sign in', body);
}

export function logoutPage(context: Context<GatewayEnv>): Page {
  const body = html`<h1>Sign out of PlexiChat Modules</h1>
  <button type="button">Sign out</button> <a href="/console/queues">Stay</a>
  <p role="alert"></p>
  ${NEEDS_SCRIPT}
  <script src="/console/assets/logout.js" type="module"></script>`;
  return page(context, 200, 'Sign out', body);
}

/**
 * A redirect would be the end of the navigation that brought the link, perhaps from another site, and a SameSite=Strict
 * cookie is not sent with that. This page starts one of its own, and keeps the key for those that follow.
 */
export function signedInPage(context: Context<GatewayEnv>, { pageKey }: Pick<StartedSession, 'pageKey'>): Page {
  const body = html`<h1>Signed in</h1><a href="/console/queues">To the console</a>
  ${NEEDS_SCRIPT}
  <script src="/console/assets/signed-in.js" type="module"></script>`;
  return page(context, 200, 'Signed in', body, html`<meta name="page-key" content="${pageKey}">`);
}

const NEEDS_SCRIPT = html`<noscript><p>This page needs JavaScript.</p></noscript>`;

function page(
  context: Context<GatewayEnv>,
  status: 200 | 403,
  title: string,
  body: Html,
  head: Html | string = '',
): Page {
  const document = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>${title}: PlexiChat Modules</title>
  <link rel="icon" type="image/svg+xml" href="/console/assets/icon.svg">
  <link rel="stylesheet" href="/console/assets/console.css">
  ${head}
</head>
<body><main>${body}</main></body>
</html>`;
  return context.html(document, status, { ...PAGE_HEADERS, 'content-security-policy': pagePolicy() });
}

const ASSETS = {
  'console.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'board.js': 'text/javascript; charset=utf-8',
  'login.js': 'text/javascript; charset=utf-8',
  'logout.js': 'text/javascript; charset=utf-8',
  'signed-in.js': 'text/javascript; charset=utf-8',
} as const;

/** Open to everybody: who is not signed in needs them to sign in. */
export function consoleAssets(): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  for (const [name, type] of Object.entries(ASSETS)) {
    const text = readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
    routes.get(`/${name}`, (context) =>
      context.body(text, 200, { 'content-type': type, 'cache-control': 'max-age=300' }),
    );
  }
  return routes;
}
