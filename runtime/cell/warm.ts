/**
 * Makes the kernel's code cache in this process, under the flags of this process, before any module ran in it: a module
 * of our own is loaded and called once, so that the cache has every function that a first call needs.
 */
import { MessageChannel } from 'node:worker_threads';
import { ModuleThread } from './module-thread.ts';

const CODE = `return { default: class extends sdk.BaseModule { setupRoutes() { this.router.get('/', () => ({})); } } };`;
const MANIFEST = {
  module_name: 'warm',
  module_version: '1.0.0',
  api: { enabled: true, prefix: '/api/v1/warm', rate_limit: 100 },
  settings: { debug: false, log_level: 'INFO' },
};
const REQUEST = {
  invocation: 1,
  handler: 'GET /',
  method: 'GET',
  url: 'http://localhost/api/v1/warm',
  headers: [],
  params: {},
  query: {},
  user: null,
  requestId: 'warm',
  deadline: 0,
};

export function warmKernel(kernel: string): Promise<Uint8Array> {
  const warm = new MessageChannel();
  const thread = new ModuleThread({ text: kernel, cache: undefined }, 64);
  thread.load(CODE, JSON.stringify({ manifest: MANIFEST, diagnostics: false, seed: '00'.repeat(32) }), warm.port2);
  thread.port.postMessage(`[${callText('1', 'describe')},${callText('2', 'initialize')}]`);
  return new Promise((resolve, reject) => {
    thread.port.on('message', (batch: unknown) => {
      const text = String(batch);
      if (text.includes('"id":"2"')) thread.port.postMessage(`[${callText('3', 'invoke', REQUEST, { kind: 'none' })}]`);
      if (text.includes('"id":"3"')) warm.port1.postMessage('cache');
    });
    warm.port1.once('message', (cache: Uint8Array) => {
      warm.port1.close();
      thread.port.close();
      void thread.worker.terminate();
      resolve(cache);
    });
    thread.worker.once('error', reject);
    thread.worker.once('exit', (code) => reject(new Error(`The kernel did not boot: exit code ${code}.`)));
  });
}

function callText(id: string, method: string, ...args: unknown[]): string {
  const argumentList = args.map((value) => ({ type: 'RAW', value }));
  return JSON.stringify({ id, type: 'APPLY', path: [method], argumentList });
}
