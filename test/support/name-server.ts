/** A name server on loopback that answers what it is told to, and is silent about everything else. */
import { createSocket } from 'node:dgram';

export interface NameServer {
  /** As a resolver is told of it. */
  readonly address: string;
  /** Names, in the order of their questions; each try and each family counts. */
  readonly questions: string[];
  close(): void;
}

const TYPE_A = 1;
const NO_SUCH_NAME = 3;

/** @param records name → IPv4 addresses; `[]`: there is no such name; absent: silence */
export async function startNameServer(
  records: Readonly<Record<string, readonly string[]>>,
  ttlSeconds = 60,
): Promise<NameServer> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = readQuestion(message);
    questions.push(name);
    const found = records[name];
    if (found === undefined) return;
    const answers = type === TYPE_A ? found : [];
    const head = Buffer.from(message.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (found.length === 0 ? NO_SUCH_NAME : 0), 2);
    for (const [at, count] of [
      [6, answers.length],
      [8, 0],
      [10, 0],
    ] as const)
      head.writeUInt16BE(count, at);
    socket.send([head, message.subarray(12, end), ...answers.map((one) => record(one, ttlSeconds))], port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, questions, close: () => void socket.close() };
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** For the name of the question (RFC 1035, 4.1.4). */
function record(address: string, ttlSeconds: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0xc00c, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt32BE(ttlSeconds, 6);
  bytes.writeUInt16BE(4, 10);
  bytes.set(address.split('.').map(Number), 12);
  return bytes;
}
