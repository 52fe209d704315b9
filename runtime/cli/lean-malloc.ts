/**
 * glibc gives threads heaps of their own, keeps what they free, and once it has freed a large piece takes pieces of that
 * size (up to 32 MB) from those heaps too. So a host that had a bad minute kept its peak: with two heaps a host with the
 * examples has 317 MB resident instead of 440, and with large pieces from the kernel, which gets them back when they are
 * freed, a soak ends at 467 MB instead of 565 (begun at 388 instead of 441). All of it can only be chosen before a process
 * starts, so this one becomes itself again, with the same id. Elsewhere than on Linux nothing happens, nor where the
 * operator has chosen anything.
 */
export const LEAN_MALLOC = {
  MALLOC_ARENA_MAX: '2',
  /** Bytes; to name a number also keeps it from moving. */
  MALLOC_MMAP_THRESHOLD_: String(256 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
} as const;

export function useLeanMalloc(): void {
  const { platform, env, execPath, execArgv, argv } = process;
  if (platform !== 'linux' || process.execve === undefined) return;
  if (Object.keys(LEAN_MALLOC).some((name) => env[name] !== undefined)) return;
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, ...LEAN_MALLOC });
}
