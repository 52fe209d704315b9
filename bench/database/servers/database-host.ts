/** The real host over one module that reads and writes its own rows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHost } from '../../../runtime/compose.ts';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import { createLog } from '../../../runtime/observability/log.ts';
import { signToken } from '../../../runtime/policy/sign-token.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';

/** What the module does, so many times and so many at once. */
export interface DatabaseQuestion {
  readonly kind: 'reads' | 'writes' | 'transactions';
  readonly count: number;
  readonly inFlight: number;
}

const { folder } = childOptions<{ readonly folder: string }>();
const modules = join(folder, 'modules');
mkdirSync(join(modules, 'rows'), { recursive: true });
writeFileSync(
  join(modules, 'rows', 'config.yaml'),
  `module_name: rows
module_version: 1.0.0
required_permissions: [database]
runtime: { timeout: 120 }
database:
  enabled: true
  tables:
    - name: rows
      columns:
        - { name: id, type: integer, primary_key: true }
        - { name: text, type: text }
`,
);
writeFileSync(
  join(modules, 'rows', 'module.js'),
  `import { BaseModule } from '@plexichat/sdk';
const ROWS = 1000;
export default class Rows extends BaseModule {
  async initialize() {
    await this.db.execute("INSERT OR IGNORE INTO rows SELECT value, 'row ' || value FROM json_each(?)",
      [Array.from({ length: ROWS }, (_, id) => id)]);
  }
  setupRoutes() {
    this.router.post('/run', async ({ body: { kind, count, inFlight } }) => {
      const work = {
        reads: async (at) => {
          const [row] = await this.db.query('SELECT id, text FROM rows WHERE id = ?', [at % ROWS]);
          if (row.id !== at % ROWS) throw new Error('another row');
        },
        writes: (at) => this.db.execute('UPDATE rows SET text = ? WHERE id = ?', ['text ' + at, at % ROWS]),
        transactions: (at) => this.db.transaction((tx) => tx.execute('UPDATE rows SET text = ? WHERE id = ?', ['text ' + at, at % ROWS])),
      }[kind];
      let next = 0;
      const start = performance.now();
      await Promise.all(Array.from({ length: inFlight }, async () => {
        while (next < count) await work(next++);
      }));
      return { perSecond: count / ((performance.now() - start) / 1000) };
    });
  }
}
`,
);
const { settings } = loadHostSettings({
  flags: {
    modules,
    data: join(folder, 'data'),
    host: '127.0.0.1',
    port: '0',
    log_level: 'warn',
    'limits.calls_per_second': '1000000',
  },
  environment: {},
  file: undefined,
});
settings.grants.rows = ['database'];
const log = createLog({ level: settings.log_level, readable: false, destination: process.stderr });
const host = await startHost({ settings, environment: {}, log });
await host.loaded;
const token = await signToken(host.secret, {
  sub: 'bench',
  tier: 'basic',
  permissions: [],
  lifetime: 3600,
  issuer: settings.auth.issuer,
  audience: settings.auth.audience,
});
serveParent({ ready: true, answer, close: () => host.close() });

async function answer(question: unknown): Promise<number> {
  const reply = await fetch(`${host.url}/api/v1/rows/run`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${reply.status} ${text}`);
  return (JSON.parse(text) as { perSecond: number }).perSecond;
}
