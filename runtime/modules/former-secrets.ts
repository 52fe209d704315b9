/**
 * A secret that the environment gives is there for every version of the module, also for one that says no more that the
 * setting is secret. Which settings ever were is remembered; such a value is left out instead of handed over in the clear.
 */
import { isMap } from '../config/yaml-check.ts';
import { formatPath, type Path } from '../config/yaml-issue.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';
import type { FoundModule } from './discover.ts';
import { checkSettings } from './manifest-settings.ts';
import type { Settings } from './settings-book.ts';
import { holdsSecrets, placed, schemaOf, valueAt } from './settings-layers.ts';

/** Any key, or any item of a list. */
const ANY = '*';
const MAX_DEPTH = 16;
const MAX_STEP = 64;
const SEPARATOR = '\0';

interface Leaf {
  readonly path: readonly string[];
  readonly isHidden: boolean;
}

/** Where this version has secrets, as texts to be remembered. */
export function secretPlaces(found: FoundModule): ReadonlySet<string> {
  const places = new Set<string>();
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node)) return;
    const isEnd = path.length >= MAX_DEPTH && holdsSecrets(node);
    if (path.length > 0 && (node.writeOnly === true || isEnd)) places.add(path.join(SEPARATOR));
    if (path.length >= MAX_DEPTH || node.writeOnly === true) return;
    const named = isMap(node.properties) ? Object.entries(node.properties) : [];
    for (const [key, below] of named) visit(below, [...path, stepOf(key)]);
    visit(node.items, [...path, ANY]);
    // Where free keys stand beside named ones, only those that are given can be told apart.
    if (named.length === 0) visit(node.additionalProperties, [...path, ANY]);
  };
  visit(schemaOf(found), []);
  for (const { path } of settingsOverrides(found))
    for (const leaf of leavesAt(found.manifest.settings, schemaOf(found), path))
      if (leaf.isHidden) places.add(leaf.path.slice(0, MAX_DEPTH).join(SEPARATOR));
  return places;
}

/**
 * @param places where versions of the module had secrets; undefined: nobody knows, so anything may have been one
 * @throws Error when its settings do not fit without what is left out
 */
export function withoutFormerSecrets(
  found: FoundModule,
  places: ReadonlySet<string> | undefined,
  onWarning: (module: string, message: string) => void,
): FoundModule {
  const { name, manifest, writtenSettings } = found;
  const schema = schemaOf(found);
  const former = places === undefined ? undefined : [...places].map((place) => place.split(SEPARATOR));
  const wasSecret = (path: readonly string[]): boolean => former?.some((place) => touches(place, path)) ?? true;
  const isExposed = ({ path }: { readonly path: Path }): boolean =>
    [...leavesAt(manifest.settings, schema, path)].some((leaf) => !leaf.isHidden && wasSecret(leaf.path));
  const given = settingsOverrides(found);
  const exposed = given.filter(isExposed);
  if (exposed.length === 0) return found;
  const { debug, log_level } = manifest.settings;
  const settings = given
    .filter((override) => !exposed.includes(override))
    .reduce<Settings>((all, { path }) => placed(all, path, valueAt(manifest.settings, path)), {
      debug,
      log_level,
      ...structuredClone(writtenSettings),
    });
  const checked = checkSettings(schema, { ...settings });
  for (const { path, variable } of exposed) onWarning(name, leftOut(variable, path));
  const [misfit] = checked.findings;
  if (misfit !== undefined) {
    const variables = exposed.map(({ variable }) => variable).join(', ');
    throw new Error(`Without ${variables}, which is not used, settings.${formatPath(misfit.path)}: ${misfit.message}`);
  }
  return {
    ...found,
    manifest: { ...manifest, settings: checked.settings as typeof manifest.settings },
    overrides: found.overrides.filter(({ variable }) => !exposed.some((one) => one.variable === variable)),
    missingSettings: checked.missing,
  };
}

function leftOut(variable: string, path: Path): string {
  const setting = formatPath(path) || 'settings';
  return `${variable} is not used: ${setting} is, or holds, what was a secret of this module before, and this version does not call it one. Set it in another way if it is none.`;
}

/** Below `settings`; the path is empty where one variable gives all of them. */
function settingsOverrides({ overrides }: FoundModule) {
  return overrides
    .filter(({ path }) => path[0] === 'settings')
    .map(({ path, variable }) => ({ path: path.slice(1), variable }));
}

/** Boundary: walks to the value and into it, as the secrets are taken out on the way to the cell. */
function* leavesAt(
  value: unknown,
  node: SchemaNode | undefined,
  way: Path,
  path: readonly string[] = [],
): Generator<Leaf> {
  const [next, ...rest] = way;
  if (value === undefined || value === null) return;
  if (node?.writeOnly === true && path.length > 0) yield { path, isHidden: true };
  else if (next !== undefined) {
    if (!isMap(value) || !Object.hasOwn(value, next)) return;
    yield* leavesAt(value[next], nodeBelow(node, next), rest, [...path, stepOf(String(next))]);
  } else if (Array.isArray(value) && value.length > 0) {
    const items = isMap(node?.items) ? (node.items as SchemaNode) : undefined;
    for (const item of value) yield* leavesAt(item, items, [], [...path, ANY]);
  } else if (isMap(value)) {
    for (const [key, item] of Object.entries(value))
      yield* leavesAt(item, nodeBelow(node, key), [], [...path, stepOf(key)]);
  } else yield { path, isHidden: false };
}

/** One is the other, or holds it. */
function touches(place: readonly string[], path: readonly string[]): boolean {
  const [short, long] = place.length < path.length ? [place, path] : [path, place];
  return short.every((step, index) => step === long[index] || step === ANY || long[index] === ANY);
}

function nodeBelow(node: SchemaNode | undefined, key: string | number): SchemaNode | undefined {
  const { properties, additionalProperties } = node ?? {};
  const below = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
  return typeof below === 'object' ? below : undefined;
}

/** Variables say nothing of upper and lower case. */
function stepOf(key: string): string {
  return key.toLowerCase().replaceAll(SEPARATOR, '').slice(0, MAX_STEP);
}
