import { BaseModule, type EndpointContext, moduleEndpoint, Type } from '@plexichat/sdk';
import { renderSafely } from './safe-markdown.ts';

const DocumentSchema = Type.Object({ markdown: Type.String({ maxLength: 100_000 }) }, { additionalProperties: false });

const FormatSchema = Type.Object({
  format: Type.Union([Type.Literal('html'), Type.Literal('json')], { default: 'html' }),
});

export default class MarkdownModule extends BaseModule {
  @moduleEndpoint('POST /render', {
    permissions: ['read'],
    body: DocumentSchema,
    query: FormatSchema,
    summary: 'Markdown as HTML, for a page or inside of JSON.',
  })
  render({ body, query }: EndpointContext<{ body: typeof DocumentSchema; query: typeof FormatSchema }>) {
    const html = renderSafely(body.markdown);
    if (query.format === 'json') return { html };
    return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  }
}
