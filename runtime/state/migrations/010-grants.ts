/** What operators granted to modules, which version of each is in force, and when each grant was last used. */
export const grants = {
  id: '010-grants',
  sql: `
    CREATE TABLE grants (
      module TEXT NOT NULL,
      version TEXT NOT NULL,
      permission TEXT NOT NULL,
      granted_at BIGINT NOT NULL,
      granted_by TEXT NOT NULL,
      PRIMARY KEY (module, version, permission)
    );
    CREATE TABLE grant_versions (
      module TEXT NOT NULL PRIMARY KEY,
      version TEXT NOT NULL
    );
    CREATE TABLE grant_uses (
      module TEXT NOT NULL,
      permission TEXT NOT NULL,
      uses BIGINT NOT NULL,
      last_used_at BIGINT NOT NULL,
      PRIMARY KEY (module, permission)
    );
  `,
} as const;
