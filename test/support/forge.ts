/** A module's way to say to its own port whatever it wants. */

/**
 * The kernel joins the messages of a turn with Array.prototype.join and walks their parts with Array's iterator; both are
 * the module's to replace. So a module can say to the port whatever it wants, and hear how the port takes it.
 */
export const FORGE = `
  const { join } = Array.prototype;
  const iterate = Array.prototype[Symbol.iterator];
  const { then } = Promise.prototype;
  const heard = [];
  let forgedText;
  let forgedParts;
  let flushing = false;
  Array.prototype.join = function (by) {
    if (forgedText === undefined || by !== ',' || typeof this[0] !== 'string' || this[0][0] !== '{') return join.call(this, by);
    const text = forgedText;
    forgedText = undefined;
    flushing = true;
    return text;
  };
  Array.prototype[Symbol.iterator] = function () {
    if (!flushing || forgedParts === undefined || this.length !== 0) return iterate.call(this);
    flushing = false;
    const parts = forgedParts;
    forgedParts = undefined;
    return iterate.call(parts);
  };
  Promise.prototype.then = function (onDone, onFailed) {
    return then.call(this, typeof onDone !== 'function' ? onDone : (value) => {
      try { return onDone(value); } catch (error) { heard[heard.length] = error; throw error; }
    }, onFailed);
  };
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const say = async (module, text, parts) => { forgedText = text; forgedParts = parts; flushing = false; module.logger.info('go'); await wait(5); };`;
