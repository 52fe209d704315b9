/** Whether a package may be installed under its name at all: who sent it, which version it is, which paths it wants. */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { lt } from 'semver';
import { checkPublisher, type PublisherSettings } from '../packages/check-publisher.ts';
import { PackageError } from '../packages/package-error.ts';
import type { Staged } from '../packages/package-store.ts';
import type { LifeLoading } from './life-loading.ts';
import { prefixesClash } from './manifest-rules.ts';
import type { ModuleBook } from './module-book.ts';
import { refused, toProblem } from './refusals.ts';
import type { Registry } from './registry.ts';

export interface JudgeOptions {
  readonly registry: Registry;
  readonly book: ModuleBook;
  readonly loading: Pick<LifeLoading, 'isShadowed'>;
  readonly publishers: PublisherSettings;
}

type JudgedPackage = Pick<Staged, 'name' | 'version' | 'publisher' | 'manifest'>;

/** @returns the publisher to keep @throws PlexiError INVALID_INPUT */
export function judgePackage(staged: JudgedPackage, options: JudgeOptions): string | undefined {
  const { registry, book, loading, publishers } = options;
  const { name, version, publisher, manifest } = staged;
  const row = book.get(name);
  if (loading.isShadowed(name) || (row === undefined && registry.knows(name))) {
    throw refused(
      `The folder of modules has a module ${name} already: take it out there, or give the package another name.`,
    );
  }
  const trace = book.trace(name);
  const verdict = checkPublisher(trace?.publisher, staged, publishers);
  if (!verdict.ok) throw toProblem(new PackageError('refused', [verdict.issue]));
  // Boundary: what a module has left behind is its publisher's, and nobody else's; nobody can tell whose an unsigned one is.
  const listed = Object.hasOwn(publishers.publishers, name) ? publishers.publishers[name] : undefined;
  const isHeir = publisher !== undefined && (trace?.publisher === publisher || listed?.includes(publisher) === true);
  const howToPurge = `purge it first (DELETE /api/v1/modules/${name}?purge=true)`;
  if (row === undefined && trace !== undefined && !isHeir) {
    const whose = trace.publisher === undefined ? 'that nobody signed' : 'by another publisher';
    throw refused(`The data of a removed module ${name} ${whose} is kept: ${howToPurge}.`);
  }
  if (row !== undefined && lt(version, row.version)) {
    throw refused(`${name} ${row.version} is in force, and ${version} is older: to go back, roll back.`);
  }
  if (trace !== undefined && lt(version, trace.version)) {
    throw refused(`The data of the removed ${name} ${trace.version} is kept, and ${version} is older: ${howToPurge}.`);
  }
  assertPrefixFree(manifest, registry);
  return verdict.pin;
}

/**
 * Boundary: the paths of a module that is known are its own, whatever its state.
 * @throws PlexiError INVALID_INPUT that names the module whose they are
 */
export function assertPrefixFree(
  { module_name: name, api }: Pick<Manifest, 'module_name' | 'api'>,
  registry: Registry,
): void {
  // It has them already: whoever claims them too does not get them.
  if (registry.holdsPrefix(name) && registry.get(name)?.prefix === api.prefix) return;
  const holder = registry.list().find((other) => other.name !== name && prefixesClash(other.prefix, api.prefix));
  if (holder === undefined) return;
  const problem = holder.prefix === api.prefix ? 'is taken by' : `clashes with ${holder.prefix} of`;
  throw refused(
    `The api.prefix ${api.prefix} of ${name} ${problem} ${holder.name}: give the package another one, or remove ${holder.name} first.`,
  );
}
