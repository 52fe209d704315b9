// desc: Diagnostics routes: process.report, v8, inspector, trace, performance.eventLoopUtilization
// class: node
// flags:
async (t) => {
  if (typeof performance !== 'undefined') {
    t.probe(performance, 'perf', 300);
    t.probe(performance.eventLoopUtilization, 'elu');
    t.probe(performance.timerify, 'timerify');
    if (performance.timerify) {
      try {
        t.probe(
          performance.timerify(() => {}),
          'tf',
        );
      } catch (e) {
        t.probe(e, 'e');
      }
    }
  }
  if (typeof console !== 'undefined')
    for (const k of ['profile', 'timeStamp', 'takeHeapSnapshot'])
      if (console[k]) await t.try(k, () => console[k]('x'));
}
