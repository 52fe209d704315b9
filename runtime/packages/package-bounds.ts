/** What no package gets past, whatever the settings say: what a host can unpack without anybody noticing. */
const KB = 1024;
const MB = 1024 * KB;

export const PACKAGE_BOUNDS = {
  zipBytes: 32 * MB,
  unpackedBytes: 64 * MB,
  fileBytes: 16 * MB,
  entries: 2000,
  /** On the way to files too. */
  folders: 500,
  pathBytes: 240,
  stepBytes: 128,
  depth: 16,
  /** Inflated bytes for each byte in the ZIP; counted from `ratioFreeBytes` on, since small texts may repeat themselves. */
  ratio: 100,
  ratioFreeBytes: MB,
  configBytes: 256 * KB,
  integrityBytes: MB,
  signatureBytes: 4 * KB,
  /** Of one package; the rest is counted. */
  issues: 20,
} as const;

/** @example showBytes(32 * 1024 * 1024) // "32 MB" */
export function showBytes(bytes: number): string {
  return bytes >= MB ? `${Math.ceil(bytes / MB)} MB` : bytes >= KB ? `${Math.ceil(bytes / KB)} KB` : `${bytes} bytes`;
}
