/** A module whose tasks tell a ledger of each run, and the settings of a host that lets it. */

/** Asked for by POST /api/v1/orders/add and /hold; one more runs every second. GET /api/v1/orders/ping touches no queue. */
export function reportingModule(port: number): Record<string, string> {
  return {
    'orders/config.yaml': `module_name: orders
module_version: 1.0.0
auto_load: true
required_permissions: ["http:localhost:${port}"]
api: { rate_limit: 1000000 }
`,
    'orders/module.ts': source(port),
  };
}

export function reportingConfig(port: number): string {
  return `grants: { orders: ["http:localhost:${port}"] }
egress: { allow_private: ["localhost:${port}"] }
`;
}

const source = (port: number): string => `
import { BaseModule, moduleEndpoint, moduleTask } from '@plexichat/sdk';

const ON_DEMAND = { schedule: false, overlap: 'parallel', retryCount: 5 };

export default class OrdersModule extends BaseModule {
  @moduleEndpoint('POST /add')
  add({ json }) {
    return this.#enqueue('work', json);
  }
  @moduleEndpoint('POST /hold')
  hold({ json }) {
    return this.#enqueue('wait', json);
  }
  @moduleEndpoint('GET /ping')
  ping() {
    return 'pong';
  }
  @moduleTask(ON_DEMAND)
  async work({ job }) {
    await this.#report(job);
  }
  /** Does nothing for long, unless it is told to stop. */
  @moduleTask(ON_DEMAND)
  async wait({ job, signal }) {
    await this.#report(job);
    if (job.attempt > 1) return;
    await new Promise((resolve, reject) => {
      setTimeout(resolve, 120_000);
      signal.addEventListener('abort', () => reject(new Error('told to stop')));
    });
  }
  @moduleTask({ schedule: '* * * * * *', overlap: 'parallel', retryCount: 5 })
  async tick({ job }) {
    await this.#report(job);
  }
  async #enqueue(task, json) {
    try {
      const { id } = await this.tasks.enqueue(task);
      return json({ id }, 202);
    } catch (error) {
      return json({ code: error.code }, 503);
    }
  }
  async #report({ name, id, slot, attempt }) {
    const body = JSON.stringify({ task: name, id, slot, attempt });
    const reply = await this.http.fetch('http://localhost:${port}/', { method: 'POST', body });
    await reply.text();
  }
}
`;
