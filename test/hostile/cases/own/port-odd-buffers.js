// desc: Buffers that the kernel may send: resizable with a huge maximum, detached, empty, shrunk while they wait
// class: port
// flags: rawport
// fires: the port's refusal is an error of the host
async (t) => {
  if (!t.raw) return;
  const detached = new ArrayBuffer(8);
  detached.transfer();
  const resizable = new ArrayBuffer(8, { maxByteLength: 2 ** 30 });
  const dressed = Object.assign(new ArrayBuffer(8), { toJSON: () => { throw new Error('x'); }, [Symbol.for('nodejs.util.inspect.custom')]: (...args) => t.probe(args, 'inspect') });
  Object.setPrototypeOf(dressed, null);
  for (const buffer of [detached, new ArrayBuffer(0), resizable, dressed, new ArrayBuffer(16).transferToFixedLength(4), new Uint8Array(4), new DataView(new ArrayBuffer(4))]) {
    await t.try('send', () => t.raw.postMessage(buffer));
  }
  const last = t.raw.postMessage(resizable);
  try { resizable.resize(0); } catch {}
  await t.try('shrunk', () => last);
}
