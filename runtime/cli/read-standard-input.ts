/** All of standard input as text, and no more than is allowed. */
export async function readStandardInput(maxBytes: number, tooLong: () => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}
