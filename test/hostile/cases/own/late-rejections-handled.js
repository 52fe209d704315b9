// desc: Promises that are left rejected and handled later: Node warns of each with an error of its own, on a stream of its own
// class: late
// flags: crash
// fires: a thread that lets Node look at what nobody caught: it inspects the value, and ends
async (t) => {
  const seen = [];
  for (let round = 0; round < 10; round++) {
    const lost = [];
    for (let count = 0; count < 100; count++) {
      const promise = Promise.reject({ get stack() { seen.push(this); return t.sdk; }, get message() { seen.push(this, arguments); return 1; }, [Symbol.for('nodejs.util.inspect.custom')](...args) { seen.push(...args); return 'x'; }, get name() { seen.push(this); return Symbol('x'); } });
      Object.defineProperty(promise, 'domain', { get() { seen.push(this); return { emit(...args) { seen.push(...args); } }; } });
      Object.defineProperty(promise, 'constructor', { get() { seen.push(this); return t.context; } });
      lost.push(promise);
    }
    const call = t.api.rpc('failAsync');
    lost.push(call);
    await t.wait(2);
    for (const promise of lost) promise?.then?.(undefined, (reason) => { if (seen.length < 200) seen.push(reason); });
  }
  await t.wait(20);
  for (const value of seen.slice(0, 100)) t.probe(value, 'seen', 20);
}
