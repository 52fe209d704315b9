/** A real Session of the host whose guest is a script: what the host sends is read, and any bytes can be sent back. */
import { FRAME_KIND, FrameDecoder } from '../../runtime/bridge/codec.ts';
import { type CapabilityMethod, createCallTable } from '../../runtime/bridge/guard.ts';
import { Outbox } from '../../runtime/bridge/outbox.ts';
import { DEFAULT_QUOTA, Quota, type QuotaLimits } from '../../runtime/bridge/quota.ts';
import { Session } from '../../runtime/bridge/session.ts';
import { until } from './until.ts';

export interface WireMessage {
  readonly id?: string;
  readonly type?: string;
  readonly path?: readonly string[];
  readonly argumentList?: readonly { readonly value: unknown }[];
  readonly value?: unknown;
  readonly stream?: number;
  readonly op?: string;
  readonly bytes?: number;
}

export interface ScriptedGuest {
  readonly session: Session;
  readonly violations: readonly string[];
  readonly floods: readonly string[];
  /** All that the host has sent so far. */
  readonly sent: readonly WireMessage[];
  /** Binary parts that came with chunks, in order. */
  readonly chunks: readonly Uint8Array[];
  /** Frames that the host has written. */
  readonly frames: number;
  /** Sends messages to the host in one batch. */
  say(...messages: unknown[]): void;
  /** Sends a batch as text, valid or not. */
  sayText(head: string, parts?: readonly Uint8Array[]): void;
  /** The next message of the host that fits. */
  hear(fits: (message: WireMessage) => boolean): Promise<WireMessage>;
}

export interface ScriptedGuestOptions {
  readonly calls?: Readonly<Record<string, Record<string, CapabilityMethod>>>;
  readonly quota?: Partial<QuotaLimits>;
  readonly now?: () => number;
}

export function scriptGuest({ calls = {}, quota = {}, now }: ScriptedGuestOptions = {}): ScriptedGuest {
  const sent: WireMessage[] = [];
  const chunks: Uint8Array[] = [];
  const violations: string[] = [];
  const floods: string[] = [];
  let frames = 0;
  const decoder = new FrameDecoder();
  const outbox = new Outbox({
    write: (bytes) =>
      decoder.push(bytes, ({ kind, head, parts }) => {
        if (kind !== FRAME_KIND.batch) return;
        frames += 1;
        sent.push(...(JSON.parse(head) as WireMessage[]));
        chunks.push(...parts.map((part) => Uint8Array.from(part)));
      }),
  });
  const session: Session = new Session({
    channel: 1,
    outbox,
    calls: createCallTable(calls),
    quota: new Quota({ ...DEFAULT_QUOTA, ...quota }, now),
    onViolation: (reason) => violations.push(reason),
    onFlood: (_limit, reason) => {
      floods.push(reason);
      session.close(new Error(reason));
    },
  });
  return {
    session,
    violations,
    floods,
    sent,
    chunks,
    get frames() {
      return frames;
    },
    say: (...messages) => session.receive(JSON.stringify(messages), []),
    sayText: (head, parts = []) => session.receive(head, parts),
    async hear(fits) {
      await until(() => sent.some(fits));
      return sent.find(fits) ?? {};
    },
  };
}
