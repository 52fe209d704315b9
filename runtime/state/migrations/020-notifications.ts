/** What modules told users. Ids grow with time. */
export const notifications = {
  id: '020-notifications',
  sql: `
    CREATE TABLE notifications (
      id BIGINT NOT NULL PRIMARY KEY,
      user_id TEXT NOT NULL,
      module TEXT NOT NULL,
      type TEXT NOT NULL,
      title TEXT NOT NULL,
      message TEXT NOT NULL,
      at BIGINT NOT NULL,
      read_at BIGINT
    );
    CREATE INDEX notifications_by_user ON notifications (user_id, id);
    CREATE INDEX notifications_by_user_and_module ON notifications (user_id, module, id);
    CREATE INDEX notifications_by_module ON notifications (module, id);
    CREATE INDEX notifications_by_age ON notifications (at);
  `,
} as const;
