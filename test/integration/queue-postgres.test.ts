import { openPostgresBackend, type PostgresSettings } from '../../runtime/queue/postgres.ts';
import { missingPostgres, startPostgres } from '../support/postgres-server.ts';
import { describeBackend } from '../support/queue-contract.ts';

const settings = (url: string, more: Partial<PostgresSettings> = {}): PostgresSettings => ({
  url,
  prefix: 'test',
  keepMs: 60_000,
  ...more,
});

describeBackend(
  'the queue on PostgreSQL',
  async () => {
    const server = await startPostgres();
    return {
      open: (events) => openPostgresBackend(settings(server.url), events),
      exclusive: false,
      server,
      end: () => server.remove(),
    };
  },
  missingPostgres,
);
