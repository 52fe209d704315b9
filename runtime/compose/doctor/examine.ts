/**
 * Looks at every layer of protection, and tries those that can be tried: in cells of its own, over a folder of its own,
 * so that a host that runs on the same data notices nothing.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCellFiles } from '../../cells/build.ts';
import { type Jail, JailError, type OpenJail, probeJail } from '../../cells/jail/probe-jail.ts';
import type { HostSettings } from '../../config/settings-schema.ts';
import { judgeDataFolder } from './data-folder.ts';
import { type Finding, type FindingGroup, failed } from './finding.ts';
import { interruptible } from './interruptible.ts';
import { judgeJail } from './jail.ts';
import { judgeMachine, readMachine } from './machine.ts';
import { judgeSettings } from './settings.ts';
import { type Bait, openBait } from './tried-cell.ts';
import { tryRealm } from './tried-realm.ts';

export async function examine(settings: HostSettings): Promise<readonly FindingGroup[]> {
  const [{ jail, refusal }, dataFolder, machine] = await Promise.all([
    findJail(settings),
    judgeDataFolder(settings.data),
    readMachine(settings),
  ]);
  const tried = await tryAll(jail);
  return [
    { title: 'The realm of a module, tried in a cell just now', findings: tried.realm },
    { title: 'The cell around it, tried by code that has left its realm', findings: tried.cell },
    { title: 'What holds the cell besides Node', findings: judgeJail(jail, refusal) },
    { title: 'The settings of the host', findings: [...judgeSettings(settings), ...dataFolder] },
    { title: 'This machine', findings: judgeMachine(settings, machine) },
  ];
}

interface FoundJail {
  readonly jail: Jail;
  /** Why it is not the one that the settings insist on. */
  readonly refusal: string | undefined;
}

async function findJail({ jail }: HostSettings): Promise<FoundJail> {
  try {
    return { jail: await probeJail({ jail }), refusal: undefined };
  } catch (error) {
    if (!(error instanceof JailError)) throw error;
    return { jail: await probeJail({ jail: 'auto' }), refusal: error.message };
  }
}

interface Tried {
  readonly realm: readonly Finding[];
  readonly cell: readonly Finding[];
}

async function tryAll(jail: Jail): Promise<Tried> {
  const folder = await mkdtemp(join(tmpdir(), 'plexi-doctor-'));
  let bait: Bait | undefined;
  let open: OpenJail | undefined;
  const tryIn = async (): Promise<Tried> => {
    // Cells may be another user, and there is nothing in here that nobody may see.
    await chmod(folder, 0o755);
    bait = await openBait(folder);
    const files = await buildCellFiles(folder);
    await bait.lay(files);
    open = await jail.open(files);
    const [realm, cell] = await Promise.all([tryRealm(files, open), bait.tryCell(files, open)]);
    return { realm, cell };
  };
  const cleanUp = async (): Promise<void> => {
    bait?.close();
    await open?.close();
    // Who was interrupted may still be writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    return await interruptible(tryIn, cleanUp);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { realm: [], cell: [failed('cells', 'platform', `A cell cannot be started here: ${why}`, LOOK)] };
  }
}

const LOOK = 'Mend what it says, and run it again.';
