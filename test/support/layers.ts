/**
 * Which room may import which: only rooms further down, and no circles, types included. Prints what breaks the rule.
 * What is loaded on first touch (`require` in the guest's web globals) is no import: that is how a circle is cut.
 * A room that is missing here is an error too: where it belongs is a decision.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** Top-down. Rooms of one line know nothing of each other. */
const LAYERS: Readonly<Record<'runtime' | 'sdk', readonly (readonly string[])[]>> = {
  runtime: [
    ['main.ts'],
    ['cli'],
    ['compose.ts'],
    ['compose'],
    ['management', 'console'],
    ['gateway'],
    ['tasks', 'events', 'notifications'],
    ['invocation'],
    ['policy'],
    ['modules'],
    ['packages'],
    ['config'],
    ['databases'],
    ['cells'],
    ['capabilities'],
    ['cell', 'guest', 'data-cell'],
    ['bridge'],
    ['queue'],
    ['state', 'observability'],
  ],
  sdk: [['testing'], ['index.ts', 'guest.ts', 'kysely.ts'], ['module', 'capabilities'], ['database'], ['protocol']],
};

/** Rooms that run elsewhere: they are bundled and named by URL, never imported. */
const ISOLATED: ReadonlySet<string> = new Set(['cell', 'guest', 'data-cell']);
/** Module and capability clients of the sdk are one room in two folders: BaseModule carries the clients. */
const SAME_LAYER_ALLOWED: ReadonlySet<string> = new Set(['module', 'capabilities']);

interface Import {
  readonly from: string;
  readonly to: string;
}

export function findLayerProblems(root: string): string[] {
  const problems: string[] = [];
  const edges: Import[] = [];
  for (const side of ['runtime', 'sdk'] as const) {
    for (const file of globSync(`${side}/**/*.ts`, { cwd: root, exclude: (name) => name.includes('node_modules') })) {
      for (const to of importsOf(join(root, file))) {
        const target = to.startsWith('@plexichat/sdk')
          ? sdkFile(to)
          : relative(root, normalize(join(root, dirname(file), to)));
        edges.push({ from: file, to: target });
        const problem = judge(side, file, target);
        if (problem !== undefined) problems.push(`${file}: ${problem}`);
      }
    }
  }
  return [...problems, ...findCircles(edges)];
}

const IMPORT = /^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;

function importsOf(file: string): string[] {
  const found: string[] = [];
  for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const specifier = from ?? bare ?? '';
    if (specifier.startsWith('.') || specifier.startsWith('@plexichat/')) found.push(specifier);
  }
  return found;
}

function sdkFile(specifier: string): string {
  const path = specifier.slice('@plexichat/sdk'.length);
  return path === '' ? 'sdk/index.ts' : `sdk${path}.ts`;
}

function judge(side: 'runtime' | 'sdk', file: string, target: string): string | undefined {
  const fromRoom = roomOf(file);
  const toRoom = roomOf(target);
  if (side === 'sdk' && !target.startsWith('sdk/')) return `the sdk imports nothing from outside: ${target}`;
  const from = layerOf(side, fromRoom);
  if (from === -1) return `the room ${fromRoom} has no place in test/support/layers.ts`;
  if (target.startsWith('sdk/') && side === 'runtime') return undefined;
  if (fromRoom === toRoom) return undefined;
  const to = layerOf(side, toRoom);
  if (to === -1) return `the room ${toRoom} has no place in test/support/layers.ts`;
  if (ISOLATED.has(toRoom)) return `${toRoom} runs elsewhere and is not imported: ${target}`;
  if (to === from && SAME_LAYER_ALLOWED.has(toRoom)) return undefined;
  return to <= from
    ? `${fromRoom} may not import ${toRoom}, which is ${to === from ? 'beside' : 'above'} it: ${target}`
    : undefined;
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function layerOf(side: 'runtime' | 'sdk', room: string): number {
  return LAYERS[side].findIndex((layer) => layer.includes(room));
}

function findCircles(edges: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      circles.push(`circle: ${[...path.slice(start), file].join(' -> ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return circles;
}
