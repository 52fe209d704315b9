import { it } from 'vitest';
import { startTestHost } from './support/test-host.ts';
it('x', async () => {
  const at = await startTestHost({ fixtures: ['bomber'] });
  const r = await at.fetch('/api/v1/bomber/string');
  console.log(r.status, await r.text());
  for (const l of at.lines) if (l.level >= 30) console.log(JSON.stringify(l).slice(0, 600));
  await at.close();
});
