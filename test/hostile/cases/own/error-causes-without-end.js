// desc: Chains of causes, AggregateErrors and SuppressedErrors that are deep, round, or made while they are read; thrown, logged, cloned and sent
// class: error
// flags:
// fires: what becomes of them on the way back is the host's
async (t) => {
  const seen = [];
  let deep = new Error('bottom');
  for (let count = 0; count < 20000; count++) deep = new Error('x', { cause: deep });
  const round = new Error('round');
  round.cause = new AggregateError([round], 'again', { cause: round });
  const endless = Object.defineProperty(new Error('endless'), 'cause', { get() { seen.push(this); return Object.create(endless); } });
  const aggregate = new AggregateError({ *[Symbol.iterator]() { try { yield round; yield t.context; yield endless; } finally { seen.push('closed'); } } }, { toString: () => 'x' }, { get cause() { seen.push(this); return deep; } });
  const suppressed = typeof SuppressedError === 'function' ? new SuppressedError(round, new SuppressedError(aggregate, deep, Symbol.iterator.description), 'x') : deep;
  const odd = Object.setPrototypeOf(function () {}, Error.prototype);
  for (const error of [deep, round, endless, aggregate, suppressed, odd, Object.create(aggregate), Object.freeze(new Error('x', { cause: t.module }))]) {
    t.api.handle('cb', () => { throw error; });
    await Promise.race([t.try('cb', () => t.api.rpc('callMeBack', 1)), t.wait(60)]);
    for (const run of [() => globalThis.console?.error(error), () => t.module.logger.error(error, error), () => globalThis.structuredClone?.(error), () => t.api.rpc('echo', error), () => new t.sdk.HttpError(500, 'x', { cause: error }), () => new Error('x', error), () => JSON.stringify(error), () => Error.isError?.(error), () => String(error), () => error.stack]) await Promise.race([t.try('use', run), t.wait(20)]);
  }
  for (const value of seen.slice(0, 60)) t.probe(value, 'seen', 20);
}
