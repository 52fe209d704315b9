/** Processor time of this thread alone: the machine may be busy with other suites, and its clock says nothing then. */
export function startCpuClock(): () => number {
  const started = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(started);
    return (user + system) / 1000;
  };
}
