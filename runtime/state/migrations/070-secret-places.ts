/** Which settings of a module any of its versions called secret: names, no values. Kept also when the module is purged. */
export const secretPlaces = {
  id: '070-secret-places',
  sql: `
    CREATE TABLE secret_places (
      module TEXT NOT NULL,
      place TEXT NOT NULL,
      PRIMARY KEY (module, place)
    );
  `,
} as const;
