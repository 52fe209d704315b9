#!/usr/bin/env node
/** The `plexi` command. */
import { runCommandLine } from './cli/command-line.ts';

process.exitCode = (await runCommandLine(process.argv.slice(2))) || process.exitCode;
