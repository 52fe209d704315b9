// desc: Setters for indices on Array.prototype and Object.prototype catch what is appended by index, and a length that moves while it is
// class: engine
// flags:
// fires: the lists that a host makes of arguments and answers in the guest's realm
async (t) => {
  const seen = [];
  const { defineProperty } = Object;
  const add = (value) => { if (seen.length < 200) defineProperty(seen, seen.length, { value, configurable: true, writable: true, enumerable: true }); };
  const owners = [Array.prototype, Object.prototype];
  for (const owner of owners) for (let index = 0; index < 24; index++) defineProperty(owner, index, { configurable: true, get() { add(this); return undefined; }, set(value) { add(this); add(value); defineProperty(this, index, { value, configurable: true, writable: true, enumerable: true }); } });
  const results = [];
  try {
    t.module.logger.info('a', { b: 1 });
    results.push(setTimeout(() => {}, 1));
    results.push(t.api.rpc('echo', [1, [2, [3]]]));
    results.push(t.sdk.sanitizeInput('<b>x'));
    globalThis.console?.table([[1, 2], [3, 4]]);
    for (let hop = 0; hop < 20; hop++) await null;
  } catch (error) { results.push(error); }
  for (const owner of owners) for (let index = 0; index < 24; index++) delete owner[index];
  for (const result of results) await Promise.race([t.try('result', () => result), t.wait(60)]);
  for (const value of seen) t.probe(value, 'seen', 30);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
