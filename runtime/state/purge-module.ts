/** Everything that the state keeps for a module and that only the module itself has written, or its secrets: gone for good. */
import type { State } from './state.ts';

const TABLES = ['storage_entries', 'storage_usage', 'secrets', 'notifications'] as const;

/** All or nothing. What operators have to be able to look up later (security events, audit) stays. @throws PlexiError STATE_UNAVAILABLE */
export async function purgeModule(state: State, module: string): Promise<void> {
  await state.run(TABLES.map((table) => ({ sql: `DELETE FROM ${table} WHERE module = ?`, params: [module] })));
}
