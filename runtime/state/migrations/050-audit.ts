/** Who did what to this host and its modules, and which states its modules went through. Ids grow with time. */
export const audit = {
  id: '050-audit',
  sql: `
    CREATE TABLE audit (
      id BIGINT NOT NULL PRIMARY KEY,
      at BIGINT NOT NULL,
      source TEXT NOT NULL,
      action TEXT NOT NULL,
      operator TEXT,
      module TEXT,
      outcome TEXT NOT NULL,
      details TEXT NOT NULL
    );
    CREATE INDEX audit_by_source ON audit (source, id);
    CREATE INDEX audit_by_module ON audit (module, source, id);
    CREATE INDEX audit_by_operator ON audit (operator, id);
    CREATE INDEX audit_by_age ON audit (at);
  `,
} as const;
