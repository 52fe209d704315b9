// desc: Share a SharedArrayBuffer / wasm memory with the host (TOCTOU primitive)
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p || typeof SharedArrayBuffer === 'undefined') return;
  await t.try('sab', () => p.postMessage({ id: 1, m: 'echo', a: [new SharedArrayBuffer(8)] }));
  await t.try('sab2', () => p.postMessage(new Uint8Array(new SharedArrayBuffer(8))));
  const r = await t.api.rpc('rawStats');
  if (r && r.acceptedNonString) t.lvl(2, 'host accepted SAB');
}
