/** What operators made for callers: signed tokens, which are not kept, and API keys, of which only the hash is. */
export const tokens = {
  id: '060-tokens',
  sql: `
    CREATE TABLE tokens (
      id TEXT NOT NULL PRIMARY KEY,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      sub TEXT NOT NULL,
      tier TEXT NOT NULL,
      permissions TEXT NOT NULL,
      prefix TEXT,
      sha256 TEXT,
      made_at BIGINT NOT NULL,
      made_by TEXT NOT NULL,
      made_with TEXT,
      expires_at BIGINT NOT NULL,
      used_at BIGINT,
      revoked_at BIGINT,
      revoked_by TEXT
    );
    CREATE UNIQUE INDEX tokens_by_hash ON tokens (sha256);
    CREATE TABLE tokens_revision (
      only_row BIGINT NOT NULL PRIMARY KEY,
      revision BIGINT NOT NULL
    );
    INSERT INTO tokens_revision (only_row, revision) VALUES (1, 0);
  `,
} as const;
