/** What clients were promised and what tasks have done: the books of a fault test, kept outside of the host that is hurt. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Report {
  readonly task: string;
  readonly id: string;
  readonly slot: string | null;
  readonly attempt: number;
  /** When it came in. */
  readonly at: number;
}

export interface Ledger {
  /** Tasks post their reports to /, as JSON. */
  readonly port: number;
  /** Ids of runs that a client was told are in the queue. */
  readonly promised: Set<string>;
  readonly reports: readonly Report[];
  /** Promised, and not reported even once. */
  missing(): string[];
  of(id: string): readonly Report[];
  /** Runs of one slot that were two, and starts of one run that did not say so. */
  doubled(): string[];
}

export async function startLedger(): Promise<Ledger> {
  const promised = new Set<string>();
  const reports: Report[] = [];
  const byId = new Map<string, Report[]>();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const report: Report = { ...(JSON.parse(text) as Omit<Report, 'at'>), at: Date.now() };
      reports.push(report);
      byId.set(report.id, [...(byId.get(report.id) ?? []), report]);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    promised,
    reports,
    missing: () => [...promised].filter((id) => !byId.has(id)),
    of: (id) => byId.get(id) ?? [],
    doubled: () => [...findTwins(reports), ...findRepeats(byId)],
  };
}

function findTwins(reports: readonly Report[]): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { task, slot, id } of reports) {
    if (slot === null) continue;
    const key = `${task} ${slot}`;
    ids.set(key, (ids.get(key) ?? new Set()).add(id));
  }
  return [...ids].filter(([, { size }]) => size > 1).map(([key, found]) => `${key}: ${[...found].join(', ')}`);
}

function findRepeats(byId: ReadonlyMap<string, readonly Report[]>): string[] {
  return [...byId].flatMap(([id, runs]) => {
    const attempts = runs.map(({ attempt }) => attempt);
    const grows = attempts.every((attempt, index) => index === 0 || attempt > (attempts[index - 1] ?? 0));
    return grows ? [] : [`${id}: attempts ${attempts.join(', ')}`];
  });
}
