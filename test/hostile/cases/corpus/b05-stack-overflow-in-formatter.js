// desc: Exhaust the stack so the host stack formatter itself throws a host-realm RangeError (depth/frame-size scan)
// class: error
// flags:
async (t) => {
  let G = 0;
  const recs = [
    function (op, d, f) {
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v0;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v1;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1,
        v2 = d + 2;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v2;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1,
        v2 = d + 2,
        v3 = d + 3;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v3;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1,
        v2 = d + 2,
        v3 = d + 3,
        v4 = d + 4;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v4;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1,
        v2 = d + 2,
        v3 = d + 3,
        v4 = d + 4,
        v5 = d + 5;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v5;
      }
      return r;
    },
    function (op, d, f) {
      let v0 = d + 0,
        v1 = d + 1,
        v2 = d + 2,
        v3 = d + 3,
        v4 = d + 4,
        v5 = d + 5,
        v6 = d + 6;
      if (d <= 0) return op();
      let r = 0;
      try {
        r = f(op, d - 1, f);
      } finally {
        G = v0 + v6;
      }
      return r;
    },
  ];
  for (const rec of recs) {
    let res, saved;
    const op = () => {
      const e = new Error('x');
      try {
        const s = e.stack;
        res = s;
      } catch (x) {
        res = 'inner';
        saved = x;
      }
      return 1;
    };
    const go = (d) => {
      res = 'none';
      saved = undefined;
      let out;
      try {
        rec(op, d, rec);
      } catch (x) {
        out = x;
      }
      for (const x of [saved, out]) if (x && t.foreign(x)) t.probe(x, 'overflow', 40);
      return !(out && res === 'none');
    };
    for (let i = 0; i < 200; i++) go(100);
    let lo = 0,
      hi = 30000;
    while (hi - lo > 1) {
      const m = (lo + hi) >> 1;
      if (go(m)) lo = m;
      else hi = m;
    }
    for (let d = lo - 30; d <= lo + 3; d++) go(d);
  }
}
