/** No PLEXI_* variable of the machine reaches a test, and none of a test stays. */
import { afterEach, beforeEach } from 'vitest';

export function withoutPlexiVariables(): void {
  const saved = { ...process.env };
  const clear = () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('PLEXI_')) delete process.env[name];
  };
  beforeEach(clear);
  afterEach(() => {
    clear();
    Object.assign(process.env, saved);
  });
}
