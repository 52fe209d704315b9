/** Names that are two in a ZIP and one on some disks: by case, by Unicode form, a file that is a folder too. */
import type { PackageIssue } from './package-error.ts';

interface Named {
  readonly path: string;
  readonly isFolder: boolean;
}

export function findClashes(entries: readonly Named[]): PackageIssue[] {
  const issues: PackageIssue[] = [];
  const entered = new Set<string>();
  const places = new Map<string, Named>();
  for (const { path, isFolder } of entries) {
    if (entered.has(path)) {
      issues.push({ path, message: 'the name is there more than once' });
      continue;
    }
    entered.add(path);
    const clash = findClash(path, isFolder, places);
    if (clash !== undefined) issues.push({ path, message: clash });
  }
  return issues;
}

/** Each folder on the way counts too: `A/x` and `a/y` are one folder on some disks. */
function findClash(path: string, isFolder: boolean, places: Map<string, Named>): string | undefined {
  const steps = path.split('/');
  for (let length = 1; length <= steps.length; length += 1) {
    const place: Named = { path: steps.slice(0, length).join('/'), isFolder: isFolder || length < steps.length };
    const known = places.get(foldName(place.path));
    if (known === undefined) places.set(foldName(place.path), place);
    else if (known.path !== place.path) return `"${place.path}" and "${known.path}" are one name on some disks`;
    else if (known.isFolder !== place.isFolder) return `"${place.path}" is a file and a folder`;
  }
  return undefined;
}

function foldName(path: string): string {
  return path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}
