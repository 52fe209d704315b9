/**
 * glibc gives threads heaps of their own and keeps what they free: a host with the examples had 440 MB resident, with two
 * such heaps 317 MB. The number can only be chosen before a process starts, so this one becomes itself again, with the
 * same id. Elsewhere than on Linux, and where the operator has chosen, nothing happens.
 */
export function useFewArenas(): void {
  const { platform, env, execPath, execArgv, argv } = process;
  if (platform !== 'linux' || env.MALLOC_ARENA_MAX !== undefined || process.execve === undefined) return;
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, MALLOC_ARENA_MAX: '2' });
}
