/** What modules tried and may not do, and what they report themselves. Ids grow with time. */
export const securityEvents = {
  id: '012-security-events',
  sql: `
    CREATE TABLE security_events (
      id BIGINT NOT NULL PRIMARY KEY,
      at BIGINT NOT NULL,
      module TEXT NOT NULL,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      details TEXT NOT NULL,
      count BIGINT NOT NULL
    );
    CREATE INDEX security_events_by_module ON security_events (module, id);
  `,
} as const;
