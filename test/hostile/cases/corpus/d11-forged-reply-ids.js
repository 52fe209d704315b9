// desc: Forge replies to other pending host calls / reuse request ids / duplicate replies
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  for (let h = 0; h < 50; h++) p.postMessage(JSON.stringify({ h, r: { forged: true } }));
  for (const id of [0, -1, 1.5, 2 ** 53, '1', null])
    p.postMessage(JSON.stringify({ id, m: 'echo', a: ['x'] }));
  for (let i = 0; i < 5; i++) p.postMessage('{"id":5,"m":"echo","a":[1]}');
  t.api.handle('cb', () => 'real');
  const r = await t.api.rpc('callMeBack', 1);
  t.probe(r, 'r');
}
