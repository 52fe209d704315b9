/** A real browser for tests of pages, with everything that it complains about. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** What to do when there is none. */
export const missingBrowser = existsSync(CHROMIUM)
  ? undefined
  : `There is no ${CHROMIUM}; install it (apt-get install chromium), or name another one with CHROMIUM=/path.`;

/** Names that end in .test are this machine. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** What the browser wrote to its console as an error or a warning, violations of the page's policy among them. */
  readonly complaints: string[];
  /** Requests to anything but these origins. */
  readonly strangers: string[];
}

export async function openPage(browser: Browser, ...origins: readonly string[]): Promise<WatchedPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!origins.includes(new URL(request.url()).origin)) strangers.push(request.url());
  });
  return { page, complaints, strangers };
}
