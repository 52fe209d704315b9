/** Good modules beside hostile ones, and the clients that ask them: every answer of theirs can be told from a wrong one. */
import { REFUSED, type SteadyClient, startSteadyClient } from './steady-client.ts';

/** Adds numbers and says who it is, so that an answer of anybody else would show. */
export function neighbour(name: string): Record<string, string> {
  return {
    [`${name}/config.yaml`]: `module_name: ${name}
module_version: 1.0.0
auto_load: false
security: { require_authentication: false, rate_limiting: false }
`,
    [`${name}/module.js`]: `import { BaseModule } from '@plexichat/sdk';
export default class Neighbour extends BaseModule {
  setupRoutes() {
    this.router.get('/add/:a/:b', ({ params }) => ({ who: '${name}', sum: Number(params.a) + Number(params.b) }));
  }
}
`,
  };
}

export function startNeighbourClient(url: string, name: string): SteadyClient {
  return startSteadyClient({
    atOnce: 2,
    async ask(turn) {
      const response = await fetch(`${url}/api/v1/${name}/add/${turn}/1`);
      const text = await response.text();
      if (response.status === 503 && response.headers.has('retry-after')) return REFUSED;
      const isRight = response.status === 200 && text === JSON.stringify({ who: name, sum: turn + 1 });
      return isRight ? undefined : `${response.status} ${text.slice(0, 200)}`;
    },
  });
}

export function startHealthClient(url: string): SteadyClient {
  return startSteadyClient({
    atOnce: 2,
    async ask() {
      const response = await fetch(`${url}/healthz`);
      const text = await response.text();
      return response.status === 200 ? undefined : `${response.status} ${text.slice(0, 200)}`;
    },
  });
}
