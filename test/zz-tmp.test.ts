import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CellRoom, openCellRoom } from './support/cell-room.ts';
let room: CellRoom;
beforeAll(async () => { room = await openCellRoom(); });
afterAll(() => room.close());
const dir = '/work/shared/corpus';
const prelude = readFileSync(`${dir}/_prelude.js`, 'utf8');
writeFileSync('/tmp/planted.txt', 'FILE-CANARY-x');
it('neighbour and corpus', async () => {
  const neighbour = await room.boot(`onhello() { return { ok: 1 }; }`);
  for (const f of readdirSync(dir).filter((n) => /^[a-e]\d/.test(n))) {
    const text = readFileSync(`${dir}/${f}`, 'utf8');
    if (/flags:.*raw\b/.test(text.split('\n').slice(0, 4).join(' '))) { console.log(f, 'RAW skip', text.slice(0, 200)); continue; }
    try {
      const guest = await room.boot(`
        async onattack() {
          const api = { rpc: (m, ...a) => this.http.fetch('https://example.com/' + m, a[0] ?? {}), handle: (n, fn) => { this.hooks ??= {}; this.hooks[n] = fn; } };
          const t = __mkT(api, undefined, '/tmp/planted.txt');
          try { await (${text.replace(/^(\s*\/\/.*\n)*/, '').trim().replace(/;$/, '')})(t); } catch (e) { t.lvl(0, 'threw ' + String(e && e.message)); try { t.probe(e, 'thrown'); } catch {} }
          return t.result();
        }`, { before: prelude, diagnostics: true });
      const result = await guest.json<{ level: number; notes: string[] }>('attack', 3000).catch((e) => ({ level: -1, notes: [String(e)] }));
      if (result.level !== 0) console.log(f, JSON.stringify(result), guest.violations.slice(0, 2));
      guest.instance.terminate('terminated', 'done');
      await guest.exit;
    } catch (e) { console.log(f, 'BOOT', String(e)); }
    if (!neighbour.instance.alive) { console.log(f, 'NEIGHBOUR DIED'); break; }
    expect(await neighbour.json('hello')).toEqual({ ok: 1 });
  }
}, 300000);
