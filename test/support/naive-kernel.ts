/**
 * A kernel as a first draft has it, as text for a naive realm: a sloppy script that leaves its variables behind, holds
 * objects of the outer realm, and works on them with prototypes that the module may change.
 */
export const NAIVE_KERNEL = `
  var port, send, boot = function (outer) {
    port = outer;
    send = outer.send;
    var pending = new Map();
    var log = [];
    return {
      rpc: function (method) { // SECRET: what people leave in a source
        var call = {};
        call.args = Array.prototype.slice.call(arguments, 1);
        call.fn = outer.send;
        call.port = outer;
        log.push([call.fn, method]);
        pending.set(method, outer);
        Object.keys(outer).map(function (key) { return outer[key]; });
        return Promise.resolve(Reflect.apply(call.fn, outer, [method, call.args])).then(outer.onAnswer);
      },
      handle: function (name, handler) {
        Object.assign({}, outer);
        outer.handle(name, function () { return handler.apply(outer, arguments); });
      },
    };
  };
  boot`;
