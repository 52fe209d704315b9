/** Compiles what an author would write, decorators and all, and runs it here or in a sealed realm. */
import * as sdk from '@plexichat/sdk';
import { build } from 'esbuild';

/** The bundle of a module as a CommonJS body, with the sdk left out. */
export async function bundleAuthorCode(code: string): Promise<string> {
  const result = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    external: ['@plexichat/sdk'],
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

/** The exports of author code, run in this realm with the real sdk. */
export async function loadAuthorCode(code: string): Promise<{ default: never }> {
  const module = { exports: {} as { default: never } };
  const run = new Function('require', 'module', 'exports', await bundleAuthorCode(code));
  run(() => sdk, module, module.exports);
  return module.exports;
}
