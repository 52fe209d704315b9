/** `npm start`: serves this folder, with the small fake upstream that the weather example asks. */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '@plexichat/runtime/cli/command-line';
import { startUpstream } from './weather/upstream.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const upstream = await startUpstream(8099);
process.exitCode = await runCommandLine([
  'serve',
  '--modules',
  here('.'),
  '--config',
  here('plexi.yaml'),
  ...process.argv.slice(2),
]);
upstream?.close();
