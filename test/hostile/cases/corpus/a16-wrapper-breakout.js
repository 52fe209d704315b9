// desc: Source text that closes the loader's wrapper function early
// class: realm
// flags: raw
return 0;
});
globalThis.__brk = 1;
(function () {
  try {
    globalThis.api.rpc('note', { level: 2, notes: ['2:breakout ran in guest global scope'] });
  } catch (e) {}
})();
(function () {
