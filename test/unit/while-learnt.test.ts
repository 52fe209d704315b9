import { expect, it } from 'vitest';
import type { Capability, CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { whileLearnt } from '../../runtime/capabilities/while-learnt.ts';

const context = { module: 'demo' } as CapabilityContext;
const calls: string[] = [];
const note =
  (name: string): Capability =>
  () => ({ write: () => void calls.push(name), read: () => void calls.push(name) });

it('a module that is only asked what it declares can write its log and call nothing else', () => {
  const table = whileLearnt({ log: note('log'), storage: note('storage') });
  void table.log?.(context).write?.();
  const storage = table.storage?.(context) ?? {};
  expect(Object.keys(storage)).toEqual(['write', 'read']);
  for (const method of ['write', 'read'])
    expect(() => storage[method]?.()).toThrow(
      `storage.${method} cannot be called while the files of the module are loaded`,
    );
  expect(calls).toEqual(['log']);
});
