/** Markdown from strangers as HTML. `marked` does not sanitise, so what may come out is decided here. */
import { Marked } from 'marked';

const marked = new Marked({
  async: false,
  gfm: true,
  // HTML is no part of the language: a tag is text like any other, and text is escaped.
  tokenizer: { html: () => undefined, tag: () => undefined },
  walkTokens(token) {
    if ((token.type === 'link' || token.type === 'image') && !SAFE_ADDRESS.test(token.href)) token.href = '#';
  },
});

/**
 * An allow-list: http, https, mailto, or no scheme at all. Before the first `/`, `?` or `#` of an address without a
 * scheme stands no `:`, and no `&` either, which a browser might read as one: `javascript&colon;alert(1)`.
 */
const SAFE_ADDRESS = /^(?:https?:|mailto:|[^:&/?#]*(?:[/?#]|$))/i;

export function renderSafely(markdown: string): string {
  return marked.parse(markdown, { async: false });
}
