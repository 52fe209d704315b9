/** `npm start`: serves this folder, with the small fake services that two of the examples ask. */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '@plexichat/runtime/cli/command-line';
import { startUpstream as startChat } from './digest/upstream.ts';
import { startUpstream as startWeather } from './weather/upstream.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const upstreams = await Promise.all([startChat(8098), startWeather(8099)]);
process.exitCode = await runCommandLine([
  'serve',
  '--modules',
  here('.'),
  '--config',
  here('plexi.yaml'),
  ...process.argv.slice(2),
]);
for (const upstream of upstreams) upstream?.close();
