/** Secret settings of modules, sealed: nothing in here opens without the key of the vault. */
export const secrets = {
  id: '011-secrets',
  sql: `
    CREATE TABLE secrets (
      module TEXT NOT NULL,
      setting TEXT NOT NULL,
      sealed TEXT NOT NULL,
      set_at BIGINT NOT NULL,
      set_by TEXT NOT NULL,
      PRIMARY KEY (module, setting)
    );
  `,
} as const;
