// desc: toJSON on the prototypes of objects, arrays, strings and numbers sees every message of the kernel on its way out, and says something else in its place
// class: comlink
// flags:
// fires: the host's call; messages that hold the host's objects
async (t) => {
  const seen = [];
  const forged = [{ id: 'f', type: 'SET', path: ['users', 'tier'], value: 1 }, { stream: -1, op: 'chunk' }, [[[[]]]], { toJSON: () => ({ id: 'g', type: 'HANDLER', name: 'throw', value: { isError: false } }) }];
  const hook = function (key) { seen.push(this, key); for (let f = hook, steps = 0; steps < 4; steps++) { try { f = f.caller; } catch (error) { seen.push(error); break; } if (!f) break; seen.push(f, f.arguments); } return key === '' && seen.length % 6 === 5 ? forged[seen.length % 4] : this.valueOf?.() ?? this; };
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype]) Object.defineProperty(prototype, 'toJSON', { value: hook, configurable: true, writable: true });
  const calls = [];
  try {
    for (let count = 0; count < 6; count++) { const call = t.api.rpc('echo', { a: ['b', count, true] }); call?.then?.(() => {}, () => {}); calls.push(call); t.module.logger.info('line', { a: 1 }); }
    for (let hop = 0; hop < 20; hop++) await null;
  } catch (error) { seen.push(error); }
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype]) delete prototype.toJSON;
  await t.wait(20);
  for (const call of calls) await Promise.race([t.try('call', () => call), t.wait(20)]);
  for (const value of seen.slice(0, 200)) t.probe(value, 'seen', 20);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
