/** `npm start`: serves this folder, with the small fake services and the folder that some of the examples ask for. */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '@plexichat/runtime/cli/command-line';
import { useLeanMalloc } from '@plexichat/runtime/cli/lean-malloc';
import { fillFolder } from './cleanup/fill-folder.ts';
import { startUpstream as startChat } from './digest/upstream.ts';
import { startUpstream as startTranslation } from './translator/upstream.ts';
import { startUpstream as startWeather } from './weather/upstream.ts';

useLeanMalloc();
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Without it that one example has nothing to do; the others run.
await fillFolder().catch((error: Error) => process.stderr.write(`${error.message}\n`));
const upstreams = await Promise.all([startTranslation(8097), startChat(8098), startWeather(8099)]);
process.exitCode = await runCommandLine([
  'serve',
  '--modules',
  here('.'),
  '--config',
  here('plexi.yaml'),
  ...process.argv.slice(2),
]);
for (const upstream of upstreams) upstream?.close();
