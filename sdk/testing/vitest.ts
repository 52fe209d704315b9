/** The Vite plugin that lowers standard decorators in an author's code: Node and Vitest run TypeScript, but not those. */
import { transform } from 'esbuild';

/** The part of Vite's Plugin that is used here; the sdk does not depend on Vite. */
export interface DecoratorsPlugin {
  readonly name: string;
  readonly enforce: 'pre';
  transform(code: string, id: string): Promise<{ code: string; map: string } | undefined>;
}

/**
 * Put it into vitest.config.ts of a module.
 * @example
 * import { defineConfig } from 'vitest/config';
 * import { plexichat } from '@plexichat/sdk/testing/vitest';
 * export default defineConfig({ plugins: [plexichat()] });
 */
export function plexichat(): DecoratorsPlugin {
  return {
    name: 'plexichat-decorators',
    enforce: 'pre',
    async transform(code, id) {
      const file = id.split('?', 1)[0] ?? id;
      if (!/\.m?[jt]s$/.test(file) || file.includes('/node_modules/') || !/@\w/.test(code)) return undefined;
      const { code: lowered, map } = await transform(code, {
        loader: 'ts',
        format: 'esm',
        target: 'es2022',
        sourcefile: file,
        sourcemap: 'external',
        tsconfigRaw: { compilerOptions: { experimentalDecorators: false, useDefineForClassFields: true } },
      });
      return { code: lowered, map };
    },
  };
}
