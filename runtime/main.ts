#!/usr/bin/env node
/** The `plexi` command. */
import { runCommandLine } from './cli/command-line.ts';
import { useFewArenas } from './cli/few-arenas.ts';

if (process.argv[2] === 'serve') useFewArenas();
process.exitCode = (await runCommandLine(process.argv.slice(2))) || process.exitCode;
