// desc: Encoders and decoders over buffers that shrink in the middle, views that lie about their length, labels and options that run code
// class: web
// flags:
// fires: encoded bytes and decoding errors come from the host
async (t) => {
  const { TextEncoder, TextDecoder, atob, btoa } = globalThis;
  const seen = [];
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const moving = new Uint8Array(buffer);
  const shrink = { toString() { seen.push(this, arguments); buffer.resize(2); return 'ä'.repeat(50); } };
  if (TextEncoder) {
    const encoder = new TextEncoder();
    for (const target of [moving, new Proxy(new Uint8Array(4), {}), Object.create(Uint8Array.prototype), { length: 1e9, set 0(value) { seen.push(this, value); } }, new Float64Array(2), new DataView(buffer), null]) await t.try('encodeInto', () => { buffer.resize(64); return encoder.encodeInto(shrink, target); });
    await t.try('encode', () => encoder.encode(shrink));
    await t.try('encode symbol', () => encoder.encode(Symbol('x')));
  }
  if (TextDecoder) for (const label of ['utf-8', { toString() { seen.push(this); return 'utf-16le'; } }, 'x-user-defined', '__proto__', 'constructor', Symbol('x')]) {
    const decoder = await t.try('decoder', () => new TextDecoder(label, { get fatal() { seen.push(this); return true; }, get ignoreBOM() { return t.sdk; } }));
    if (!t.isObj(decoder) || typeof decoder.decode !== 'function') continue;
    for (const input of [moving, buffer, new DataView(new ArrayBuffer(4)), new Uint8Array([0xff, 0xfe, 0xff]), Object.setPrototypeOf(new Uint8Array(4), null), new Proxy(moving, {}), { [Symbol.toStringTag]: 'Uint8Array', byteLength: 5 }, 'text', null]) await t.try('decode', () => decoder.decode(input, { get stream() { seen.push(this); buffer.resize(1); return true; } }));
  }
  for (const run of [atob, btoa]) if (typeof run === 'function') for (const input of [shrink, 'ä€', 'a', '====', Symbol('x'), { [Symbol.toPrimitive]: () => 1n }]) await t.try('base64', () => run(input));
  await t.try('bytes', () => t.context.json('x').bytes());
  await t.try('echo', () => t.api.rpc('echo', 'x'));
  for (const value of seen.slice(0, 80)) t.probe(value, 'seen', 20);
}
