// desc: Objects by way of the second port: thousands of timers make the kernel's queue of numbers overflow, setters on Array.prototype swap what waits in it
// class: port
// flags:
// fires: setTimeout and its handle are the host's own
async (t) => {
  const handle = setTimeout(() => {}, 1e8);
  t.probe(handle, 'handle');
  clearTimeout(handle);
  const seen = [];
  let asked = 0;
  const evil = { get x() { asked++; return 1; } };
  for (let index = 0; index < 64; index++) {
    Object.defineProperty(Array.prototype, index, {
      configurable: true,
      get: () => evil,
      set(value) {
        if (seen.length < 40) Object.defineProperty(seen, seen.length, { value, configurable: true, writable: true, enumerable: true });
        Object.defineProperty(this, index, { value: typeof value === 'number' ? evil : value, configurable: true, writable: true, enumerable: true });
      },
    });
  }
  try {
    for (let round = 0; round < 25000; round++) clearTimeout(setTimeout(() => {}, 1e8));
  } catch (error) { t.probe(error, 'error'); }
  for (let index = 0; index < 64; index++) delete Array.prototype[index];
  await t.wait(300);
  for (let index = 0; index < seen.length; index++) t.probe(seen[index], 'seen');
  if (asked > 0) t.lvl(2, 'an object of ours was serialised');
}
