/** A fresh sealed realm with the web globals in it, bundled as the kernel bundles them. */
import vm from 'node:vm';
import { build } from 'esbuild';

const ENTRY = `
import { installWebGlobals } from './runtime/guest/web/index.ts';
globalThis.install = installWebGlobals;
`;

export interface WebRealm {
  readonly logged: string[];
  /** Runs code in the realm; its completion value is what a test compares with Node's. */
  run(code: string): unknown;
}

let bundled: Promise<string> | undefined;

export function bundleForGuest(contents: string, options: { minify?: boolean } = {}): Promise<string> {
  return build({
    stdin: { contents, resolveDir: `${import.meta.dirname}/../..`, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    minify: options.minify ?? false,
    logLevel: 'silent',
  }).then((result) => result.outputFiles[0]?.text ?? '');
}

export function createSealedContext(): vm.Context {
  return vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } });
}

export async function createWebRealm(): Promise<WebRealm> {
  bundled ??= bundleForGuest(ENTRY);
  const context = createSealedContext();
  const logged: string[] = [];
  const global = vm.runInContext('delete globalThis.console; delete globalThis.WebAssembly; globalThis', context);
  vm.runInContext(await bundled, context);
  global.install(global, {
    seed: new Uint8Array(32).fill(7),
    log: (level: string, text: string) => logged.push(`${level} ${text}`),
    setTimeout: (callback: () => void, ms: number) => Number(setTimeout(callback, ms)),
    clearTimeout: (id: number) => clearTimeout(id),
  });
  return { logged, run: (code) => vm.runInContext(code, context) };
}

/** What a piece of code comes to, as JSON: its value, or the name of what it threw. */
export async function judge(run: (code: string) => unknown, code: string): Promise<string> {
  try {
    return JSON.stringify(await run(`(async () => (${code}))()`)) ?? 'undefined';
  } catch (error) {
    return `throws ${String(Reflect.get(error as object, 'name'))}`;
  }
}

/** The same code with Node's own classes. */
export function runInNode(code: string): unknown {
  return vm.runInThisContext(code);
}
