/** What a module may call while it is only asked what it declares: its log, and nothing else. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Capability } from './capability.ts';

/** Boundary: a version that nobody has put in force yet has no part in what its predecessor may do. */
export function whileLearnt(table: Readonly<Record<string, Capability>>): Readonly<Record<string, Capability>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, capability]) => [name, name === 'log' ? capability : refusing(name, capability)]),
  );
}

function refusing(name: string, capability: Capability): Capability {
  return (context) => {
    const refuse = (method: string) => (): never => {
      const where = 'while the files of the module are loaded; call it from initialize() or from a handler';
      throw new PlexiError('INVALID_CALL', `${name}.${method} cannot be called ${where}.`);
    };
    return Object.fromEntries(Object.keys(capability(context)).map((method) => [method, refuse(method)]));
  };
}
