#!/usr/bin/env node
/** The `plexi` command. */
import { runCommandLine } from './cli/command-line.ts';
import { useLeanMalloc } from './cli/lean-malloc.ts';

if (process.argv[2] === 'serve') useLeanMalloc();
process.exitCode = (await runCommandLine(process.argv.slice(2))) || process.exitCode;
