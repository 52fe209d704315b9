/** Which version of each installed module is the one, and what operators switched on or off. */
export const packages = {
  id: '030-packages',
  sql: `
    CREATE TABLE installed_modules (
      module TEXT NOT NULL PRIMARY KEY,
      version TEXT NOT NULL,
      previous TEXT,
      candidate TEXT,
      tables_of TEXT,
      trial_until BIGINT,
      publisher TEXT,
      installed_at BIGINT NOT NULL,
      installed_by TEXT NOT NULL,
      removed_at BIGINT
    );
    CREATE TABLE module_switches (
      module TEXT NOT NULL PRIMARY KEY,
      enabled BIGINT NOT NULL
    );
  `,
} as const;
