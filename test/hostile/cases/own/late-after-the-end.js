// desc: Goes on when it is over: shutdown and finish called by hand, then calls, timers, streams and answers of invocations that were cancelled
// class: late
// flags:
// fires: what is left over is still the host's
async (t) => {
  const results = [];
  const race = async (label, run) => { results.push(await Promise.race([t.try(label, run), t.wait(40)])); };
  for (const step of ['shutdown', 'initialize', 'validateConfig', 'setupRoutes']) await race(step, () => t.module[step]());
  const request = t.context.request;
  await race('cancel', () => t.context.cancel?.());
  await race('finish', () => t.context.finish?.());
  await race('fetch', () => t.module.http.fetch('https://example.com/', { signal: t.context.signal }));
  await race('body', () => request.text());
  await race('clone', () => request.clone().body);
  await race('signal', () => { t.context.signal.throwIfAborted(); });
  await race('rpc', () => t.api.rpc('echo', 'late'));
  let late;
  t.api.handle('cb', (value) => ({ then(done, fail) { late = [done, fail]; done({ value }); setTimeout(() => { try { done(t.context); fail(t.sdk); done({ then(again) { again(t.module); } }); } catch (error) { results.push(error); } }, 5); } }));
  await race('callMeBack', () => t.api.rpc('callMeBack', 1));
  t.api.handle('cb', () => new Promise((done) => { setTimeout(() => done({ late: 1 }), 60); }));
  await race('slow', () => t.api.rpc('callMeBack', 2));
  await t.wait(80);
  for (const settle of late ?? []) await race('again', () => settle(t.context));
  t.module.logger.info('after the end');
  for (const value of results) t.probe(value, 'late', 60);
}
