// desc: with/Symbol.unscopables and loader-scope variable capture (api, rawPort shadowing, outer closures)
// class: node
// flags:
async (t) => {
  for (const n of [
    'ctx',
    'port',
    'gport',
    'workerData',
    'cfg',
    'vm',
    'proc',
    'parentPort',
    'source',
    'inst',
    'main',
    '_send',
    '_timer',
    'send',
    'recv',
    'boot',
    'coreSrc',
  ]) {
    try {
      const v = (0, eval)('typeof ' + n + '!=="undefined"?' + n + ':undefined');
      if (v !== undefined) {
        t.probe(v, n, 100);
        if (n !== 'api') t.lvl(1, 'loader variable ' + n);
      }
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  try {
    t.probe((0, eval)('arguments'), 'args');
  } catch {}
}
