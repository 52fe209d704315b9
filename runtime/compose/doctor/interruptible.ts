/** Work that leaves nothing behind when the process is told to end in the middle of it. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Cleans up when the work is over, or was interrupted; then the process ends by the signal as it would have. */
export async function interruptible<Result>(
  work: () => Promise<Result>,
  cleanUp: () => Promise<void>,
): Promise<Result> {
  const told = Promise.withResolvers<never>();
  let signal: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    signal = name;
    told.reject(new Error(`Interrupted by ${name}.`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await Promise.race([work(), told.promise]);
  } finally {
    await cleanUp();
    for (const name of SIGNALS) process.off(name, onSignal);
    if (signal !== undefined) process.kill(process.pid, signal);
  }
}
