/** `plexi modules install`: sends a package to a running host, or a folder, which is packed first. */
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { PACKAGE_BOUNDS, showBytes } from '../packages/package-bounds.ts';
import { askAndShow } from './ask-and-show.ts';
import type { HostFlags } from './host-access.ts';
import { InstalledSchema } from './life-answers.ts';
import { packFolder } from './pack-folder.ts';
import { readPackageFile } from './package-file.ts';
import { showInstalled } from './show-life.ts';
import { UserError } from './user-error.ts';

const EXAMPLES = `
Examples:
  $ plexi modules install weather-1.2.0.zip
  $ plexi modules install ./weather`;

/** For the upload and all that the host does with it. */
const DEADLINE_MS = 10 * 60_000;
const PIECE_BYTES = 64 * 1024;

export function installCommand(): Command {
  return new Command('install')
    .argument('<package>', 'a package as "plexi pack" makes it, or the folder of a module')
    .description('Install a module, or another version of one; it asks for nothing that you do not grant.')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: HostFlags) => {
      const bytes = await readBytes(path);
      const body = { type: 'application/zip', stream: inPieces(bytes, showProgress(bytes.length)) };
      const request = {
        method: 'POST',
        path: '/api/v1/modules',
        body,
        deadlineMs: DEADLINE_MS,
        answer: InstalledSchema,
      } as const;
      await askAndShow(flags, request, showInstalled);
    });
}

async function readBytes(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`${path}: there is no such file or folder.`);
  if (!found.isDirectory()) return readPackageFile(path);
  const { bytes } = await packFolder(path);
  if (bytes.length <= PACKAGE_BOUNDS.zipBytes) return bytes;
  throw new UserError(
    `${path}: packed it has ${showBytes(bytes.length)}; allowed are ${showBytes(PACKAGE_BOUNDS.zipBytes)}.`,
  );
}

/** The host takes one piece after the other, so what was taken was sent. */
function inPieces(bytes: Uint8Array, onSent: (sent: number) => void): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      onSent(sent);
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(sent, sent + PIECE_BYTES));
      sent += PIECE_BYTES;
    },
  });
}

/** Only for people: a line that is written over again and again is noise in a file. */
function showProgress(total: number): (sent: number) => void {
  if (process.stderr.isTTY !== true || total <= PIECE_BYTES) return () => {};
  return (sent) => {
    const share = Math.min(100, Math.floor((sent / total) * 100));
    const words = sent < total ? `${share} % of ${showBytes(total)} sent` : 'sent; the host looks at it';
    process.stderr.write(`\r${words.padEnd(40)}${sent < total ? '' : '\n'}`);
  };
}
