/**
 * Code for a realm under test, as text: walks everything that can be reached from some roots and says what of it belongs
 * to another realm, and what of it makes code out of a text. It must find something in a naive realm, and nothing in ours.
 */
import vm from 'node:vm';

export const HUNT = `
  const { getPrototypeOf, ownKeys, getOwnPropertyDescriptor } = Reflect;
  const hunt = (roots) => {
    const found = new Set();
    const seen = new Set();
    const queue = Object.entries(roots);
    const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
    const evaluate = (make, path) => {
      try { const got = make('return typeof process')(); if (got === 'object') found.add('power: ' + path); } catch {}
    };
    for (let index = 0; index < queue.length && seen.size < 20000; index++) {
      const [path, value] = queue[index];
      if (!isObject(value) || seen.has(value) || path.length > 200) continue;
      seen.add(value);
      let top = value;
      try { for (let next = getPrototypeOf(top); next !== null; next = getPrototypeOf(top)) top = next; } catch {}
      if (top !== Object.prototype && (top !== value || typeof value === 'function')) found.add('foreign: ' + path);
      try { const make = value.constructor.constructor; if (typeof make === 'function') evaluate(make, path); } catch {}
      if (typeof value === 'function' && value.name === 'Function') evaluate(value, path);
      try { queue.push([path + '.<prototype>', getPrototypeOf(value)]); } catch {}
      let keys = [];
      try { keys = ownKeys(value); } catch {}
      for (const key of keys.slice(0, 300)) {
        const at = path + '.' + String(key);
        try {
          const descriptor = getOwnPropertyDescriptor(value, key);
          queue.push([at + '(get)', descriptor?.get], [at + '(set)', descriptor?.set], [at, value[key]]);
        } catch (error) { queue.push([at + '(thrown)', error]); }
      }
    }
    return [...found];
  };`;

/** What an attack gets out of a realm as people make them: a context with one function of the host in it. */
export function runNaively(code: string): unknown {
  const context = vm.createContext({ host: (value: unknown) => value });
  return vm.runInContext(`${HUNT}\n${code}`, context);
}
