/** The neighbours of the hostile modules. Every answer says whose it is and follows from its request, so a mix-up shows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const TASK = 'tick';
export const TASK_EVERY_S = 5;

export function goodNames(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `good_${String(number).padStart(2, '0')}`);
}

export function writeGoodModules(folder: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'config.yaml'), config(name));
    writeFileSync(join(folder, name, 'module.ts'), source(name));
  }
}

/** A text of which each part says where it stands. */
export function letters(size: number): string {
  let text = '';
  for (let at = 0; text.length < size; at += 10) text += `${String(at).padStart(9, '0')}\n`;
  return text.slice(0, size);
}

function config(name: string): string {
  return `module_name: ${name}
module_version: 1.0.0
module_description: Answers what it is asked
auto_load: true
api: { rate_limit: 1000000 }
runtime: { idle_timeout: 86400 }
`;
}

function source(name: string): string {
  return `import { BaseModule, moduleEndpoint, moduleTask, Type } from '@plexichat/sdk';

const number = () => Type.Integer({ minimum: 0, maximum: 1000000000 });
const letters = ${letters.toString()};

export default class Good extends BaseModule {
  @moduleEndpoint('GET /sum', { permissions: ['read'], query: Type.Object({ a: number(), b: number() }) })
  sum({ query, user }) {
    return { who: '${name}', user: user.id, sum: query.a + query.b };
  }

  @moduleEndpoint('POST /order', {
    permissions: ['write'],
    body: Type.Object({ id: number(), items: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 100 }) }),
  })
  order({ body, user }) {
    return { who: '${name}', user: user.id, id: body.id, total: body.items.reduce((sum, item) => sum + item, 0) };
  }

  @moduleEndpoint('POST /upload', { permissions: ['write'] })
  async upload({ request }) {
    let size = 0;
    let sum = 0;
    for await (const chunk of request.body) {
      size += chunk.byteLength;
      for (const byte of chunk) sum = (sum + byte) % 65521;
    }
    return { who: '${name}', size, sum };
  }

  @moduleEndpoint('GET /letters', { permissions: ['read'], query: Type.Object({ size: number() }) })
  letters({ query }) {
    const bytes = new TextEncoder().encode(letters(query.size));
    let at = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) controller.close();
        else controller.enqueue(bytes.slice(at, (at += 8192)));
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/plain' } });
  }

  @moduleEndpoint('GET /cached', { permissions: ['read'], cacheTtl: 5, query: Type.Object({ key: number() }) })
  cached({ query, user }) {
    return { who: '${name}', user: user.id, key: query.key, square: query.key ** 2 };
  }

  @moduleTask({ schedule: '*/${TASK_EVERY_S} * * * * *', retryCount: 0, timeout: 30 })
  ${TASK}({ job }) {
    return { who: '${name}', slot: job.slot };
  }
}
`;
}
