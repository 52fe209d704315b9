import { PglitePool } from './pglite-pool.ts';
import { rmSync } from 'node:fs';
rmSync('/tmp/e1/c',{recursive:true,force:true});
const pool=await PglitePool.open({folder:'/tmp/e1/c',durability:'process',onLost:r=>console.log('LOST',r),onBack:()=>console.log('BACK'),onGivenUp:e=>console.log(e)});
const tryq=async(n:string,t:string,p?:unknown[])=>{const s=performance.now(); try{ const r=await pool.query(t,p); console.log(n,'ok',Math.round(performance.now()-s),JSON.stringify(r.rows).slice(0,80)); }catch(e:any){console.log(n,'ERR',Math.round(performance.now()-s),e.code,e.message.slice(0,300));} };
await tryq('1','show max_stack_depth');
for (const n of [1000,5000,6000,8000,10000,20000,50000,100000,1000000]) {
await tryq('deep'+n,'select $1::jsonb is null',['['.repeat(n)+']'.repeat(n)]);
await tryq('deepo'+n,'select $1::jsonb is null',['{"a":'.repeat(n)+'1'+'}'.repeat(n)]);
}
await tryq('after','select 1');
await new Promise(r=>setTimeout(r,3000));
await tryq('re','select repeat($1,100000) ~ $2',['a','(((a*)*)*)*b$']);
await tryq('expr','select '+'('.repeat(20000)+'1'+')'.repeat(20000));
await new Promise(r=>setTimeout(r,3000));
console.log('rss',Math.round(process.memoryUsage().rss/1e6));
await pool.end();
