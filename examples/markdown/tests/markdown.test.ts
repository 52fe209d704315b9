import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import MarkdownModule from '../module.ts';
import { renderSafely } from '../safe-markdown.ts';

describe('POST /render', () => {
  it('answers with HTML', async () => {
    const harness = await createModuleHarness(MarkdownModule);
    const body = { markdown: '# Hello\n\n**world**' };
    const answer = await harness.request('POST', '/render', { body, query: { format: 'html' } });
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.text()).toBe('<h1>Hello</h1>\n<p><strong>world</strong></p>\n');
  });

  it('answers with JSON when asked to', async () => {
    const harness = await createModuleHarness(MarkdownModule);
    const answer = await harness.request('POST', '/render', { body: { markdown: '*hi*' }, query: { format: 'json' } });
    expect(answer.json()).toEqual({ html: '<p><em>hi</em></p>\n' });
  });

  it('refuses a body without markdown', async () => {
    const harness = await createModuleHarness(MarkdownModule);
    const answer = await harness.request('POST', '/render', { body: { text: 'hi' }, query: { format: 'html' } });
    expect(answer.status).toBe(422);
  });
});

/** What Markdown itself makes; whatever else begins with `<` came in as HTML. */
const MARKDOWN_TAG = /<\/?(?:p|a|img|pre|code|table|thead|tbody|tr|th|td)(?: (?:href|src|alt|title|class)="[^"]*")*>/g;

describe('HTML in Markdown', () => {
  it.each([
    '<script>alert(1)</script>',
    'a <img src=x onerror=alert(1)> b',
    '<div onclick="alert(1)">\n\ntext\n\n</div>',
    '<p>\n<img src=x onerror=alert(1)\n</p>',
    '<pre onclick=alert(1)><code class=x>',
    'a <kbd> <img src=x onerror=alert(1) ',
    '<!-- <img src=x onerror=alert(1)> -->',
    '| a |\n|---|\n| <svg onload=alert(1)> |',
    '[<img src=x onerror=alert(1)>](/x "<b>")',
    '![<img src=x onerror=alert(1)>](/x)',
    '```<svg onload=alert(1)>\n<script>\n```',
  ])('is shown as text: %j', (markdown) => {
    expect(renderSafely(markdown).replace(MARKDOWN_TAG, '')).not.toMatch(/<./);
  });
});

describe('a link in Markdown', () => {
  it.each([
    'https://example.com/a?b=1&c=2',
    'HTTP://example.com',
    'mailto:a@b.c',
    '/path',
    '#top',
    '?q=a:b',
    'a/b:c',
    'page',
  ])('leads to %s', (address) => {
    expect(renderSafely(`[x](${address})`)).toContain(`href="${address.replaceAll('&', '&amp;')}"`);
  });

  it.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](<java\tscript:alert(1)>)',
    '[x](<\u0001javascript:alert(1)>)',
    '[x](javascript&#58;alert(1))',
    '[x](javascript&colon;alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](vbscript:x)',
    '[x](data:text/html,<b>)',
    '![x](data:image/svg+xml,x)',
    '[x][y]\n\n[y]: javascript:alert(1)',
    '<javascript:alert(1)>',
  ])('leads nowhere: %j', (markdown) => {
    const addresses = [...renderSafely(markdown).matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses).toEqual(['#']);
  });
});
