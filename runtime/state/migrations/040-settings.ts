/** What operators set for modules, per version: JSON of the settings that they changed, and which version is in force. */
export const settings = {
  id: '040-settings',
  sql: `
    CREATE TABLE module_settings (
      module TEXT NOT NULL,
      version TEXT NOT NULL,
      settings TEXT NOT NULL,
      is_carried INTEGER NOT NULL,
      entered_at BIGINT NOT NULL,
      set_at BIGINT,
      set_by TEXT,
      PRIMARY KEY (module, version)
    );
    CREATE TABLE module_settings_in_force (
      module TEXT NOT NULL PRIMARY KEY,
      version TEXT NOT NULL
    );
  `,
} as const;
