// desc: console methods, console._stdout, console.Console
// class: realm
// flags:
async (t) => {
  if (typeof console === 'undefined') return;
  t.probe(console, 'console', 600);
  t.probe(console._stdout, 'stdout');
  t.probe(console.Console, 'Console');
  for (const k of ['context', 'createTask'])
    if (typeof console[k] === 'function') await t.try('c.' + k, () => console[k]('x'));
}
