// desc: Worker / SharedWorker / worker_threads style globals
// class: node
// flags:
async (t) => {
  for (const k of [
    'Worker',
    'SharedWorker',
    'WorkerGlobalScope',
    'postMessage',
    'parentPort',
    'importScripts',
    'WebSocket',
    'EventSource',
    'fetch',
    'XMLHttpRequest',
    'localStorage',
    'sessionStorage',
    'caches',
    'navigator',
    'Deno',
    'Bun',
  ]) {
    const v = globalThis[k];
    if (v !== undefined) {
      t.probe(v, k, 100);
      if (k === 'fetch' || k === 'Worker' || k === 'WebSocket') t.lvl(2, 'ambient ' + k);
    }
  }
  if (typeof Worker === 'function') {
    try {
      const w = new Worker('data:text/javascript,postMessage(1)');
      t.probe(w, 'w', 50);
      t.lvl(3, 'spawned Worker');
    } catch (e) {
      t.probe(e, 'e');
    }
  }
}
