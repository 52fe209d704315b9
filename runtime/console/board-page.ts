/**
 * The board's page, written by us: the packaged one asks a stranger's server for a font, and needs inline styles that a
 * strict policy refuses.
 */
import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { PAGE_HEADERS, pagePolicy } from './page-policy.ts';

/** Paths below the board's own. */
export interface BoardAssets {
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
}

const SCRIPT = /<script\b[^>]*\ssrc="(static\/js\/[\w.-]+\.js)"/g;
const STYLE = /<link\b[^>]*\shref="(static\/css\/[\w.-]+\.css)"/g;

/** @param template of the packaged page, which alone knows the names of this build. @throws Error when they are not there */
export function readAssets(template: string): BoardAssets {
  const named = (pattern: RegExp) => Array.from(template.matchAll(pattern), ([, path = '']) => path);
  const assets = { scripts: named(SCRIPT), styles: named(STYLE) };
  if (assets.scripts.length > 0 && assets.styles.length > 0) return assets;
  throw new Error('The page of @bull-board/ui names no scripts or no styles: this version is not known here.');
}

/** @param params what bull-board would fill its template with; `uiConfig` is JSON without angle brackets */
export function boardPage(
  context: Context,
  { basePath = '', title = '', uiConfig = '{}' }: Readonly<Record<string, string>>,
  { scripts, styles }: BoardAssets,
): Response | Promise<Response> {
  // The board's libraries add <style> elements as they go; board.js gives them this.
  const nonce = randomBytes(16).toString('base64url');
  const page = html`<!doctype html>
<html lang="en" dir="ltr">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <base href="${basePath}">
  <title>${title}</title>
  <link rel="icon" type="image/svg+xml" href="/console/assets/icon.svg">
  ${styles.map((path) => html`<link rel="stylesheet" href="${path}">`)}
  <script src="/console/assets/board.js" nonce="${nonce}"></script>
</head>
<body class="preload">
  <script id="__UI_CONFIG__" type="application/json">${raw(uiConfig)}</script>
  <div id="root">Loading</div>
  ${scripts.map((path) => html`<script defer src="${path}"></script>`)}
</body>
</html>`;
  const headers = { ...PAGE_HEADERS, 'content-security-policy': pagePolicy(nonce) };
  return context.html(page, 200, headers);
}
