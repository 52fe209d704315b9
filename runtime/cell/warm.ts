/** Makes the kernel's code cache in this process, under the flags of this process, before any module ran in it. */
import { MessageChannel } from 'node:worker_threads';
import { startThread } from './instance.ts';

export function warmKernel(kernel: string): Promise<Uint8Array> {
  const bridge = new MessageChannel();
  const warm = new MessageChannel();
  const config = JSON.stringify({ manifest: {}, diagnostics: false, seed: '00'.repeat(32) });
  const thread = startThread(
    { port: bridge.port2, kernel, kernelCache: undefined, code: 'return {};', config, warm: warm.port2 },
    64,
  );
  return new Promise((resolve, reject) => {
    warm.port1.once('message', (cache: Uint8Array) => {
      warm.port1.close();
      bridge.port1.close();
      void thread.terminate();
      resolve(cache);
    });
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`The kernel did not boot: exit code ${code}.`)));
  });
}
