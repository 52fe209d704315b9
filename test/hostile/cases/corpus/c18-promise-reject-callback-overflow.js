// desc: Reject promises / create errors at stack exhaustion so host PromiseReject and other native hooks overflow
// class: async
// flags:
async (t) => {
  let n = 0;
  const errs = new Array(900);
  let k = 0;
  const rec = () => {
    try {
      rec();
    } catch (e) {
      if (k < 890) errs[k++] = e;
      if (n++ < 120) {
        try {
          Promise.reject(n);
        } catch (x) {
          if (k < 890) errs[k++] = x;
        }
        try {
          (async () => {
            throw n;
          })();
        } catch (x) {
          if (k < 890) errs[k++] = x;
        }
        try {
          t.api.rpc('echo', n);
        } catch (x) {
          if (k < 890) errs[k++] = x;
        }
      }
      throw e;
    }
  };
  try {
    rec();
  } catch (e) {
    errs[k++] = e;
  }
  for (let i = 0; i < k; i++) if (t.foreign(errs[i])) t.probe(errs[i], 'overflow', 40);
  await t.wait(20);
}
