// desc: Aborts a fetch before, while and after it is answered, from listeners that start the next one; thousands of them
// class: late
// flags:
// fires: the host's promises and the reasons that they end with
async (t) => {
  const seen = [];
  const { AbortController } = globalThis;
  const makeSignal = () => (AbortController ? new AbortController() : { signal: t.context.signal, abort() {} });
  for (let count = 0; count < 150; count++) {
    const controller = makeSignal();
    const call = t.module.http.fetch('https://example.com/' + count, { signal: controller.signal, timeoutMs: count % 3 ? 1 : { valueOf: () => 1 } });
    call?.then?.((value) => seen.push(value), (error) => { if (seen.length < 60) seen.push(error); });
    if (count % 3 === 0) controller.abort({ get message() { seen.push(this); return t.sdk; } });
    if (count % 3 === 1) controller.signal.onabort = () => { try { t.module.http.fetch('https://example.com/', { signal: controller.signal }).catch((error) => seen.push(error)); } catch (error) { seen.push(error); } };
    if (count % 3 === 1) Promise.resolve().then(() => controller.abort(t.context));
    if (count % 3 === 2) setTimeout(() => controller.abort(), 2);
  }
  await t.wait(150);
  for (const value of seen.slice(0, 100)) t.probe(value, 'seen', 40);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
