/** Key-value entries of modules, and what each module takes with them. */
export const storage = {
  id: '001-storage',
  sql: `
    CREATE TABLE storage_entries (
      module TEXT NOT NULL,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      size_bytes BIGINT NOT NULL,
      expires_at BIGINT,
      PRIMARY KEY (module, name)
    );
    CREATE INDEX storage_entries_expiry ON storage_entries (expires_at, module, name) WHERE expires_at IS NOT NULL;
    CREATE TABLE storage_usage (
      module TEXT PRIMARY KEY,
      used_bytes BIGINT NOT NULL
    );
  `,
} as const;
