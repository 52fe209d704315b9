import { openEmbeddedBackend } from './embedded.ts';
import { rmSync, readdirSync, statSync } from 'node:fs'; import { join } from 'node:path';
const folder='/tmp/e1/s'; rmSync(folder,{recursive:true,force:true});
const size=(f:string)=>Math.round(readdirSync(f,{recursive:true,withFileTypes:true}).filter(e=>e.isFile()).reduce((s,e)=>s+(statSync(join(e.parentPath,e.name),{throwIfNoEntry:false})?.size??0),0)/1e5)/10;
const b=await openEmbeddedBackend({folder,durability:'process',prefix:'plexi',keepMs:7*86400e3},{onOnline:(o,r)=>console.log('online',o,r),onError:e=>console.log('ERR',e)});
const q=b.queue('many'); const pool=(q as any).backend.connection.pool;
const oq=pool.query.bind(pool); let t0=performance.now(); pool.query=async(t:any,p:any)=>{ const s=performance.now(); try { return await oq(t,p);} finally { const d=performance.now()-s; if (/VACUUM|CHECKPOINT|DELETE FROM bullmq.event/.test(t)&&d>5) console.log(Math.round(s-t0), String(t).slice(0,60), Math.round(d)); } };
b.consume('many',async()=>{}, {concurrency:20});
console.log('start',size(folder));
const keep=process.env.KEEPJOBS?false:true;
for(let i=0;i<20;i++){ const t=performance.now(); await q.addBulk(Array.from({length:1000},()=>({name:'t',data:{text:'x'.repeat(500)},opts:keep?{removeOnComplete:true}:{}}))); while(await q.getJobCountByTypes('active','wait')) await new Promise(r=>setTimeout(r,20)); if(i%2) console.log(i+1,'k',Math.round(performance.now()-t),'ms','wal',size(folder+'/database/pg_wal'),'base',size(folder+'/database/base')); }
console.log((await oq(`select c.relname, pg_total_relation_size(c.oid) s, n_dead_tup, reltuples from pg_class c left join pg_stat_user_tables t on t.relid=c.oid where relkind='r' and relnamespace='bullmq'::regnamespace order by 2 desc limit 4`)).rows);
await b.close();
