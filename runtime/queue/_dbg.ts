import { PGlite } from '@electric-sql/pglite';
import { Worker, isMainThread } from 'node:worker_threads';
import { EventEmitter } from 'node:events';
import { parse, serialize } from 'pg-protocol';
if (isMainThread) { new Worker(new URL(import.meta.url), { resourceLimits: { stackSizeMb: 16 } }); }
else {
const db = await PGlite.create({ startParams: [...PGlite.defaultStartParams, '-c','max_stack_depth='+(process.env.MSD??'2MB')], onStderr:(l)=>{console.log('STDERR',l);return false} });
const orig = db.Module._PostgresMainLoopOnce; let n=0;
(db as any).mod._PostgresMainLoopOnce = () => { if(++n>40) {console.log('looping'); process.exit(3);} try { return orig(); } catch (e:any) { console.log('CAUGHT', e?.status, e?.constructor?.name, String(e).slice(0,100)); throw e; } };
const em = new EventEmitter(); void parse(em as never, (m:any)=>console.log('  msg', m.name, m.message??m.text??m.status??''));
const go=(label:string,n:number)=>{ console.log(label,n); const v='{"a":'.repeat(n)+'1'+'}'.repeat(n); 
 const out=db.execProtocolRawSync(Buffer.concat([serialize.parse({name:'',text:'select $1::jsonb is null',types:[]}),serialize.bind({values:[v]}),serialize.describe({type:'P',name:''}),serialize.execute({portal:'',rows:0}),serialize.sync()])); em.emit('data',Buffer.from(out)); };
for (const k of [1000, 4000,20000,50000,100000,100000,300000]) go('deep',k);
}
