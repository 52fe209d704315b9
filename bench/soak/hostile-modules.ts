/** Hostile modules, so many that there is always another one when an earlier one is parked. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ABUSES, type Abuse, type AbuseRequest } from '../../test/support/abuse-table.ts';

export interface HostileModule {
  readonly name: string;
  /** What it does. */
  readonly abuse: string;
  readonly kind: string;
  readonly request: AbuseRequest;
}

/** Every abuse once, in an order that mixes the kinds; then all over again under other names. */
export function writeHostileModules(folder: string, count: number): HostileModule[] {
  const abuses = mixed(ABUSES.filter(({ settings }) => Object.keys(settings).length === 0));
  return Array.from({ length: count }, (_, number) => {
    const abuse = abuses[number % abuses.length];
    if (abuse === undefined) throw new Error('There is no abuse in the table.');
    return {
      ...writeAbuse(folder, abuse, `hostile_${String(number).padStart(3, '0')}`),
      abuse: abuse.name,
      kind: abuse.kind,
    };
  });
}

/** The module of an abuse under another name. */
export function writeAbuse(folder: string, abuse: Abuse, name: string): Pick<HostileModule, 'name' | 'request'> {
  for (const [path, text] of Object.entries(abuse.files)) {
    const file = join(folder, renamed(path, abuse, name));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, renamed(text, abuse, name));
  }
  return { name, request: { ...abuse.request, path: renamed(abuse.request.path, abuse, name) } };
}

function renamed(text: string, { module }: Abuse, name: string): string {
  return text.replaceAll(module, name);
}

/** One of each kind in turn. */
function mixed(abuses: readonly Abuse[]): Abuse[] {
  const kinds = [...Map.groupBy(abuses, ({ kind }) => kind).values()];
  const longest = Math.max(...kinds.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => kinds.flatMap((kind) => kind[at] ?? [])).flat();
}
