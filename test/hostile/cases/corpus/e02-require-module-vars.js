// desc: CommonJS vars: require, module, exports, __filename, module.constructor._load
// class: node
// flags:
async (t) => {
  if (typeof require !== 'undefined') {
    t.lvl(3, 'require');
    try {
      t.fsAuth(require('fs'), 'require');
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  if (typeof module !== 'undefined') {
    t.lvl(3, 'module');
    try {
      t.fsAuth(module.constructor._load('fs'), '_load');
    } catch (e) {}
  }
  if (typeof __filename !== 'undefined') t.lvl(1, '__filename');
}
