/**
 * Learns what a module declares in a throw-away sealed thread, once per content: routes exist before the module has
 * booted. What was learnt is kept in a file and checked again when it is read.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Declaration, DeclarationSchema } from '@plexichat/sdk/protocol/declaration';
import { Compile } from 'typebox/compile';
import type { Instance } from '../cells/instance.ts';

export interface LearnOptions {
  /** Holds one file per content. */
  readonly folder: string;
  /** Everything that the declaration depends on: bundle, manifest as the guest sees it, kernel. */
  readonly content: readonly string[];
  readonly spawn: () => Promise<Instance>;
  readonly timeoutMs: number;
}

const check = Compile(DeclarationSchema);

/** @throws PlexiError when the module cannot be loaded or declares something that is not valid */
export async function learnDeclaration({ folder, content, spawn, timeoutMs }: LearnOptions): Promise<Declaration> {
  const key = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const file = join(folder, `${key}.json`);
  const known = await readKnown(file);
  if (known !== undefined) return known;
  const instance = await spawn();
  try {
    const declaration = await instance.describe(timeoutMs);
    await mkdir(folder, { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify(declaration));
    await rename(`${file}.${process.pid}`, file);
    return declaration;
  } finally {
    instance.terminate('terminated', 'learnt');
  }
}

async function readKnown(file: string): Promise<Declaration | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
