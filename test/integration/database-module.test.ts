/** Modules with a database in a whole host: from config.yaml to rows, by plain SQL and by Kysely. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const config = (name: string, rest = '') => `
module_name: ${name}
module_version: 1.0.0
required_permissions: [database]
security: { require_authentication: false }
${rest}`;

const TABLE = `
database:
  enabled: true
  tables:
    - name: people
      columns:
        - { name: id, type: integer, primary_key: true }
        - { name: name, type: text, unique: true }
        - { name: admin, type: boolean, default: false }
        - { name: tags, type: json, default: "[]" }
`;

const PLAIN = `
import { BaseModule } from '@plexichat/sdk';
export default class Plain extends BaseModule {
  setupRoutes() {
    this.router.post('/sql', async ({ body }) => {
      try {
        return await this.db.query(body.sql, body.params);
      } catch (error) {
        return { name: error.name, code: error.code, message: error.message };
      }
    });
    this.router.post('/many', async () => {
      const rows = await Promise.all(Array.from({ length: 500 }, (_, id) => this.db.query('SELECT ? AS id', [id])));
      return rows.every(([row], id) => row.id === id);
    });
    this.router.post('/large', async () => {
      const texts = await Promise.all(Array.from({ length: 5 }, () => this.db.query('SELECT hex(zeroblob(400000)) AS text')));
      return texts.map(([{ text }]) => text.length);
    });
    this.router.post('/abandon', async () => {
      await this.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO people (name) VALUES ('half')");
        for (;;) {}
      });
    });
  }
}`;

const KYSELY = `
import { BaseModule } from '@plexichat/sdk';
import { kyselyDialect } from '@plexichat/sdk/kysely';
import { type Generated, Kysely } from 'kysely';

interface Tables { people: { id: Generated<number>; name: string; admin: boolean; tags: unknown } }

export default class People extends BaseModule {
  readonly #kysely = new Kysely<Tables>({ dialect: kyselyDialect(this.db) });

  override setupRoutes() {
    this.router.post('/run', async () => {
      const db = this.#kysely;
      const { insertId } = await db.insertInto('people').values({ name: 'ada', admin: true, tags: ['x'] as unknown }).executeTakeFirstOrThrow();
      const updated = await db.updateTable('people').set({ admin: false }).where('name', '=', 'nobody').executeTakeFirstOrThrow();
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('people').values({ name: 'grace', admin: false, tags: [] as unknown }).execute();
        await trx.updateTable('people').set({ admin: true }).where('name', '=', 'grace').execute();
      });
      const failed = await db.transaction().execute(async (trx) => {
        await trx.insertInto('people').values({ name: 'lost', admin: false, tags: [] as unknown }).execute();
        await trx.insertInto('people').values({ name: 'ada', admin: false, tags: [] as unknown }).execute();
      }).catch((error: { code: string }) => error.code);
      const people = await db.selectFrom('people').select(['name', 'admin', 'tags']).orderBy('name').execute();
      return { insertId: Number(insertId), updated: Number(updated.numUpdatedRows), failed, people };
    });
  }
}`;

const MODULES: Readonly<Record<string, string>> = {
  'plain/config.yaml': config('plain', `runtime: { timeout: 1 }\n${TABLE}`),
  'plain/module.ts': PLAIN,
  'people/config.yaml': config('people', TABLE),
  'people/module.ts': KYSELY,
  'people/package.json': '{ "dependencies": { "kysely": "*" } }',
  'undeclared/config.yaml': config('undeclared'),
  'undeclared/module.ts': PLAIN,
  'ungranted/config.yaml': config('ungranted', TABLE).replace('required', 'optional'),
  'ungranted/module.ts': PLAIN,
};

const place = realpathSync(mkdtempSync(join(tmpdir(), 'plexi-database-')));
const folder = join(place, 'modules');
let at: TestHost;

/** The same data each time. */
const start = () =>
  startTestHost({
    settings: {
      modules: folder,
      data: join(place, 'data'),
      'databases.query_seconds': '1',
      'databases.transaction_seconds': '1',
    },
    config: 'grants: { plain: [database], people: [database], undeclared: [database] }',
  });

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

beforeAll(async () => {
  write(MODULES);
  const kysely = dirname(dirname(fileURLToPath(import.meta.resolve('kysely'))));
  cpSync(kysely, join(folder, 'people/node_modules/kysely'), { recursive: true });
  at = await start();
});
afterAll(async () => {
  await at.close();
  rmSync(place, { recursive: true, force: true });
});

async function post(path: string, body: object = {}): Promise<unknown> {
  const answer = await at.fetch(`/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.json();
}
const sql = (text: string, params: unknown[] = [], module = 'plain') => post(`${module}/sql`, { sql: text, params });

describe('a module with tables', () => {
  it('writes and reads rows of the types that it declared', async () => {
    const insert = 'INSERT INTO people (name, admin, tags) VALUES (?, ?, ?) RETURNING *';
    expect(await sql(insert, ['ada', true, ['a', { b: 1 }]])).toEqual([
      { id: 1, name: 'ada', admin: true, tags: ['a', { b: 1 }] },
    ]);
    expect(await sql(insert, ['ada', true, []])).toMatchObject({ code: 'DATABASE_CONSTRAINT' });
    expect(await sql('PRAGMA user_version')).toMatchObject({ code: 'DATABASE_ERROR', message: 'Not allowed: PRAGMA.' });
  });

  it('asks much at once, and a lot', async () => {
    expect(await post('plain/many')).toBe(true);
    expect(await post('plain/large')).toEqual(Array(5).fill(800_000));
  });

  it('has a file of its own in the data folder, for the host alone', () => {
    const databases = join(place, 'data/databases');
    expect(
      readdirSync(databases)
        .filter((name) => name.endsWith('.db'))
        .sort(),
    ).toEqual(['people.db', 'plain.db', 'ungranted.db']);
    expect(statSync(databases).mode & 0o777).toBe(0o700);
  });

  it('that is ended in a transaction has it rolled back', async () => {
    expect(await post('plain/abandon')).toMatchObject({ code: 'MODULE_TIMEOUT' });
    const count = "SELECT count(*) AS half FROM people WHERE name = 'half'";
    let answer: unknown;
    // The module comes back first.
    await until(async () => {
      answer = await sql(count);
      return Array.isArray(answer);
    });
    expect(answer).toEqual([{ half: 0 }]);
  });

  it('may use Kysely, bundled into it', async () => {
    expect(await post('people/run')).toEqual({
      insertId: 1,
      updated: 0,
      failed: 'DATABASE_CONSTRAINT',
      people: [
        { name: 'ada', admin: true, tags: ['x'] },
        { name: 'grace', admin: true, tags: [] },
      ],
    });
  });
});

describe('a module without', () => {
  it('a declared database is told where to declare one', async () => {
    expect(await sql('SELECT 1', [], 'undeclared')).toMatchObject({
      code: 'DATABASE_ERROR',
      message: expect.stringContaining('database.enabled: true'),
    });
  });

  it('the permission is told its name', async () => {
    expect(await sql('SELECT 1', [], 'ungranted')).toMatchObject({
      name: 'PermissionDeniedError',
      message: expect.stringContaining('database'),
    });
  });
});

describe('after a change of config.yaml', () => {
  it('new columns are there, and what would lose data keeps the module from starting', async () => {
    await at.close();
    write({
      'plain/config.yaml': `${MODULES['plain/config.yaml']}        - { name: age, type: integer, nullable: true }\n`,
      'people/config.yaml': config('people', TABLE.replace(/.*name: admin.*\n/, '')),
    });
    at = await start();
    expect(await sql('SELECT name, age FROM people')).toEqual([{ name: 'ada', age: null }]);
    const people = at.host.registry.get('people');
    expect(people?.state).toBe('failed');
    expect(people?.reasons.join()).toContain('the column admin of the table people is not declared any more');
  });
});
