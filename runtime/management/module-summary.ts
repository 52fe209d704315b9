/** How a module is shown to operators. */
import type { ModuleDesk } from '../modules/module-desk.ts';

/** @throws PlexiError NOT_FOUND */
export function summarise(modules: ModuleDesk, name: string) {
  const module = modules.get(name);
  const { version, state, reasons, prefix, manifest, declaration } = module;
  return {
    name,
    version,
    description: manifest.module_description,
    author: manifest.module_author,
    state,
    reasons,
    prefix,
    endpoints: declaration.endpoints.length,
    permissions: modules.permissions(module),
  };
}
