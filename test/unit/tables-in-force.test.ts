/** Whose tables a module's database has when a version that changed them did not take over. */
import { expect, it } from 'vitest';
import { openModuleBook } from '../../runtime/modules/module-book.ts';
import { findTableProblems, TablesInForce } from '../../runtime/modules/tables-in-force.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { openMemoryState } from '../support/memory-state.ts';

const table = (name: string) => ({ name, columns: [{ name: 'id', type: 'integer', primary_key: true }] });

function version(number: string, ...tables: string[]) {
  const database = { enabled: true, tables: tables.map(table) };
  return fakeModule({ version: number, manifest: { database } }).manifest;
}

const V1 = version('1.0.0', 'notes');
const V2 = version('2.0.0', 'notes', 'tags');

/** A database that only ever gains tables. */
async function room() {
  const book = await openModuleBook(openMemoryState());
  const none = { previous: undefined, candidate: undefined, tablesOf: undefined, trialUntil: undefined };
  const by = { publisher: undefined, installedAt: 1, installedBy: 'olga', removedAt: undefined };
  await book.put({ module: 'demo', version: '1.0.0', ...none, ...by });
  let has: readonly string[] = [];
  const broken = { isBroken: false };
  const warnings: string[] = [];
  const tables = new TablesInForce({
    book,
    async open({ database }) {
      if (broken.isBroken) throw new Error('the disk is away');
      const wanted = database.tables.map(({ name }) => name);
      const lost = has.filter((name) => !wanted.includes(name));
      if (lost.length > 0) throw new Error(`${lost} would be lost`);
      has = wanted;
    },
    manifestOf: async (_module, number) => (number === '2.0.0' ? V2 : V1),
    onWarning: (_module, message) => void warnings.push(message),
  });
  return { book, tables, warnings, broken, tablesThere: () => has };
}

it('the old version goes on, and starts again, with what the new one added before it failed', async () => {
  const { book, tables, warnings, tablesThere } = await room();
  await tables.open(V1);
  await tables.openFor(V2);
  expect(book.get('demo')?.tablesOf).toBe('2.0.0');
  await tables.goBack(V1);
  await tables.open(V1);
  expect([tablesThere(), book.get('demo')?.tablesOf, warnings]).toEqual([['notes', 'tags'], '2.0.0', []]);
  await tables.open(V2);
  expect(book.get('demo')?.tablesOf).toBeUndefined();
});

it('a version that changed nothing leaves nothing to remember', async () => {
  const { book, tables } = await room();
  await tables.open(V1);
  await tables.openFor(version('1.1.0', 'notes'));
  await tables.goBack(V1);
  expect(book.get('demo')?.tablesOf).toBeUndefined();
});

it('a version in force that would lose rows is refused, and a disk that is away is told of', async () => {
  const { tables, broken, warnings } = await room();
  await tables.open(V2);
  await expect(tables.open(V1)).rejects.toThrow('tags would be lost');
  await tables.openFor(V2);
  broken.isBroken = true;
  await tables.goBack(V1);
  expect(warnings).toEqual([expect.stringContaining('the disk is away')]);
});

it('what keeps a version from coming back is known before anything is done', () => {
  expect(findTableProblems(V1, V2)).toEqual([]);
  expect(findTableProblems(V2, V1)).toEqual([expect.stringContaining('the table tags')]);
  expect(findTableProblems(V2, fakeModule({}).manifest)).toEqual([]);
});
