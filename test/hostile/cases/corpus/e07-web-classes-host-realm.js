// desc: Web classes (URL, Event, AbortSignal, TextEncoder, fetch classes, streams) as routes to the host realm
// class: node
// flags:
async (t) => {
  for (const k of [
    'URL',
    'URLSearchParams',
    'TextEncoder',
    'TextDecoder',
    'Event',
    'EventTarget',
    'AbortController',
    'AbortSignal',
    'Headers',
    'Request',
    'Response',
    'FormData',
    'Blob',
    'File',
    'ReadableStream',
    'WritableStream',
    'TransformStream',
    'CompressionStream',
    'performance',
    'crypto',
    'Buffer',
    'structuredClone',
    'MessageChannel',
    'DOMException',
    'navigator',
  ]) {
    const v = globalThis[k];
    if (v === undefined) continue;
    t.probe(v, k, 120);
    if (typeof v === 'function') {
      try {
        t.probe(new v('http://a/'), 'new ' + k, 120);
      } catch (e) {
        t.probe(e, k + '!', 60);
      }
    }
  }
  if (typeof AbortSignal !== 'undefined' && AbortSignal.timeout) {
    const s = AbortSignal.timeout(1);
    await new Promise((r) => {
      s.onabort = function (e) {
        t.probe(e, 'ev');
        t.probe(this, 'th');
        r();
      };
      setTimeout(r, 30);
    });
  }
  if (typeof ReadableStream !== 'undefined') {
    try {
      const rs = new ReadableStream({
        pull(c) {
          t.probe(c, 'ctl', 100);
          c.close();
        },
      });
      t.probe(await rs.getReader().read(), 'rd');
    } catch (e) {
      t.probe(e, 'e');
    }
  }
}
