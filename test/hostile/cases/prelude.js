// Makes `t`, inside of the realm under test. What it uses it saves first: cases tamper with everything.
// Levels: 0 contained, 1 information, 2 object or evaluator of another realm, 3 process or require, 4 a canary was read.
function makeT(api, raw, FILE, given) {
  const objectPrototype = Object.prototype;
  const functionConstructor = Function;
  const { getPrototypeOf, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { toString } = objectPrototype;
  const thisGlobal = globalThis;
  const SavedPromise = Promise;
  const SavedSet = Set;
  const text = String;
  const later = typeof setTimeout === 'function' ? setTimeout : null;
  const MAX_NOTES = 12;
  let level = 0;
  let notes = [];
  let busy = false;


  function lvl(reached, note) {
    const rises = reached > level;
    if (rises) level = reached;
    if (notes.length < MAX_NOTES) notes[notes.length] = reached + ':' + text(note).slice(0, 140);
    if (rises && given.onRise) given.onRise(result());
  }

  function result() {
    return { level: level, notes: notes };
  }

  function isObj(value) {
    return value !== null && (typeof value === 'object' || typeof value === 'function');
  }

  /** Whether the chain of prototypes ends in another Object.prototype than ours. */
  function foreign(value) {
    if (!isObj(value)) return false;
    try {
      let top = value;
      let next;
      let steps = 0;
      while ((next = getPrototypeOf(top)) && steps++ < 50) top = next;
      if (top === objectPrototype) return false;
      if (typeof value === 'function') return true;
      return top !== value;
    } catch {
      return false;
    }
  }

  function fsAuth(fs, label) {
    if (!isObj(fs)) return;
    if (typeof fs.readFileSync !== 'function') {
      lvl(2, label + ' host module loader returned ' + toString.call(fs));
      return;
    }
    try {
      const content = fs.readFileSync(FILE, 'utf8');
      if (content.indexOf('FILE-CANARY-') >= 0) lvl(4, label + ' read planted file ' + content.trim());
    } catch (error) {
      lvl(3, label + ' fs denied ' + (error && error.code));
    }
    try {
      const environment = fs.readFileSync('/proc/self/environ', 'utf8');
      const match = environment.match(/CANARY=(ENV-CANARY-[a-z0-9]+)/);
      if (match) lvl(4, label + ' environ ' + match[1]);
    } catch {}
  }

  function authority(candidate, label) {
    if (!isObj(candidate)) return;
    let isProcess = false;
    try {
      isProcess =
        typeof candidate.getBuiltinModule === 'function' || Boolean(candidate.versions && candidate.versions.v8);
    } catch {}
    if (!isProcess) return;
    lvl(3, label + ' -> process');
    try {
      if (candidate.env.CANARY) lvl(4, label + ' env ' + candidate.env.CANARY);
    } catch {}
    try {
      fsAuth(candidate.getBuiltinModule('fs'), label);
    } catch {}
    try {
      const report = candidate.report.getReport();
      const variables = report.environmentVariables;
      if (variables && variables.CANARY) lvl(4, label + ' report ' + variables.CANARY);
    } catch {}
  }

  function tryCtor(Ctor, label) {
    const isOurs = Ctor === functionConstructor;
    try {
      const found = Ctor('return typeof process!=="undefined"?process:undefined')();
      if (found) authority(found, label);
    } catch {}
    try {
      let realm = Ctor('return this')();
      if (realm && typeof realm.next === 'function') realm = realm.next().value;
      if (
        realm &&
        !isOurs &&
        realm !== thisGlobal &&
        typeof realm === 'object' &&
        typeof realm.then !== 'function'
      ) {
        lvl(2, label + ' foreign evaluator');
      }
      if (!realm) return;
      try {
        authority(realm.process, label + '.global');
      } catch {}
      try {
        if (typeof realm.require === 'function') {
          lvl(3, label + ' require');
          fsAuth(realm.require('fs'), label);
        }
      } catch {}
    } catch {}
  }

  function probe(value, label, max) {
    if (level >= 4 || busy) return;
    busy = true;
    try {
      walk(value, label, max);
    } finally {
      busy = false;
    }
  }

  function walk(root, rootLabel, max) {
    const limit = max || 250;
    const seen = new SavedSet();
    const queue = [[root, rootLabel || 'x', 0]];
    const put = (entry) => {
      queue[queue.length] = entry;
    };
    let count = 0;
    for (let next = 0; next < queue.length && count < limit && level < 4; next++) {
      const entry = queue[next];
      const object = entry[0];
      const label = entry[1];
      const depth = entry[2];
      if (!isObj(object) || seen.has(object)) continue;
      seen.add(object);
      count++;
      lookAt(object, label);
      if (depth > 3) continue;
      let keys = [];
      try {
        keys = ownKeys(object);
      } catch {}
      try {
        put([getPrototypeOf(object), label + '.__proto__', depth + 1]);
      } catch {}
      for (let index = 0; index < keys.length && index < 80; index++) {
        let descriptor;
        try {
          descriptor = getOwnPropertyDescriptor(object, keys[index]);
        } catch {
          continue;
        }
        if (!descriptor) continue;
        const keyLabel = label + '.' + text(keys[index]).slice(0, 30);
        if (isObj(descriptor.value)) put([descriptor.value, keyLabel, depth + 1]);
        if (descriptor.get) put([descriptor.get, keyLabel + '#get', depth + 1]);
        if (descriptor.set) put([descriptor.set, keyLabel + '#set', depth + 1]);
      }
    }
  }

  function lookAt(object, label) {
    try {
      authority(object, label);
    } catch {}
    let isForeign = false;
    try {
      isForeign = foreign(object);
    } catch {}
    if (isForeign) lvl(2, label + ' foreign ' + typeof object);
    try {
      const constructor = object.constructor;
      const evaluator = constructor && constructor.constructor;
      if (typeof evaluator === 'function' && (isForeign || evaluator !== functionConstructor)) {
        tryCtor(evaluator, label + '.constructor.constructor');
      }
      if (
        typeof object === 'function' &&
        typeof constructor === 'function' &&
        constructor !== functionConstructor
      ) {
        tryCtor(constructor, label + '.constructor');
      }
    } catch {}
    if (typeof object === 'function' && object.name === 'require') {
      try {
        lvl(3, label + ' require');
        fsAuth(object('fs'), label);
      } catch {}
    }
  }

  function wait(ms) {
    return new SavedPromise((resolve) => {
      if (later) later(resolve, ms);
      else resolve();
    });
  }

  async function attempt(label, run) {
    let value;
    try {
      value = run();
    } catch (error) {
      probe(error, label + '!');
      return error;
    }
    probe(value, label);
    let then;
    try {
      then = isObj(value) && value.then;
    } catch {}
    if (typeof then !== 'function') return value;
    let settled;
    try {
      settled = await SavedPromise.race([value, wait(250)]);
      probe(settled, label + '>res');
    } catch (error) {
      probe(error, label + '>rej');
      return error;
    }
    return settled;
  }

  return {
    api: api,
    raw: raw,
    FILE: FILE,
    sdk: given.sdk,
    module: given.module,
    context: given.context,
    probe: probe,
    lvl: lvl,
    foreign: foreign,
    authority: authority,
    fsAuth: fsAuth,
    tryCtor: tryCtor,
    wait: wait,
    try: attempt,
    isObj: isObj,
    F: functionConstructor,
    result: result,
  };
}
