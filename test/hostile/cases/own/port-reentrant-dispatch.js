// desc: Replaces the port's onmessage: forged events, the same event twice, a dispatch inside a dispatch, an error thrown out of it
// class: port
// flags: rawport
// fires: the event and its target are the host's objects
async (t) => {
  const port = t.raw;
  if (!port) return;
  const original = port.onmessage;
  let depth = 0;
  let heard = 0;
  const dispatch = typeof original === 'function' ? original : () => {};
  port.onmessage = function (event) {
    if (heard++ < 20) { t.probe(event, 'event', 60); t.probe(this, 'this', 60); }
    if (depth < 5) {
      depth++;
      for (const data of ['[]', '[null]', '{}', 'null', '[[[', '[{"id":"x","type":"RAW"}]', '[{"stream":1,"op":"chunk"}]', '[{"stream":1e9,"op":"credit","bytes":1}]', '[{"path":["constructor","constructor"],"id":"a","type":"CONSTRUCT","argumentList":[{"type":"RAW","value":"return this"}]}]', new ArrayBuffer(4), -1, 0, undefined, Symbol('x')]) {
        try { dispatch.call(port, { data }); } catch (error) { t.probe(error, 'forged', 40); }
      }
      try { dispatch.call(undefined, { get data() { t.probe(this, 'getter'); return event.data; } }); } catch (error) { t.probe(error, 'getter!', 40); }
      depth--;
    }
    try { return dispatch.call(this, event); } catch (error) { t.probe(error, 'original', 40); }
  };
  await Promise.race([t.try('echo', () => t.api.rpc('echo', 1)), t.wait(300)]);
  port.onmessage = original;
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
