/**
 * Frames that a hostile guest forges. Each is first sent to a bare Comlink, where it works: so the frame is real, and
 * the same frame at our end proves something.
 */

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { scriptGuest } from '../support/scripted-guest.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** The host's capabilities as someone would expose them without a guard. */
const capabilities = () => ({ http: { fetch: async (url: unknown) => `fetched ${String(url)}` } });

/** A port is no EventTarget of the DOM: what Comlink's own Node adapter does. */
function endpoint(port: MessagePort): Comlink.Endpoint {
  const listeners = new Map<object, (data: unknown) => void>();
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer as never),
    addEventListener: (_type, listener) => {
      const listen = (data: unknown): void => {
        const event = { data } as MessageEvent;
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      port.on('message', listen);
      listeners.set(listener, listen);
    },
    removeEventListener: (_type, listener) => void port.off('message', listeners.get(listener) ?? (() => {})),
  };
}

async function askBareComlink(frame: object, exposed: object = capabilities()): Promise<Record<string, unknown>> {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  Comlink.expose(exposed, endpoint(port1));
  const answer = new Promise<Record<string, unknown>>((resolve) => port2.once('message', resolve));
  port2.postMessage(frame);
  return answer;
}

/** What our end makes of the same frame. */
function askSession(frame: unknown) {
  let ran = 0;
  const guest = scriptGuest({
    calls: {
      http: {
        fetch: async () => {
          ran += 1;
          return { ok: true, value: 1 };
        },
      },
    },
  });
  guest.say(frame);
  return { violations: guest.violations.length, ran, guest };
}

const raw = (value: unknown) => ({ type: 'RAW', value });

describe('a forged call', () => {
  it('of a constructor runs code from a text in bare Comlink, and is refused here', async () => {
    const frame = {
      id: 'x',
      type: 'APPLY',
      path: ['constructor', 'constructor'],
      argumentList: [raw('globalThis.forged = "yes"; return 1')],
    };
    const made = await askBareComlink({ ...frame, type: 'CONSTRUCT' });
    expect(made.type).toBe('HANDLER');
    // The proxy that comes back is a port to a function made of the text: calling it runs the text.
    const proxied = made.value as MessagePort;
    ports.push(proxied);
    const ranIt = new Promise((resolve) => proxied.once('message', resolve));
    proxied.postMessage({ id: 'y', type: 'APPLY', path: [], argumentList: [] });
    expect(await ranIt).toMatchObject({ value: 1 });
    expect((globalThis as { forged?: string }).forged).toBe('yes');
    delete (globalThis as { forged?: string }).forged;

    for (const type of ['APPLY', 'CONSTRUCT'])
      expect(askSession({ ...frame, type })).toMatchObject({ violations: 1, ran: 0 });
  });

  it('of SET replaces a capability of the host in bare Comlink, and is refused here', async () => {
    const exposed = capabilities();
    const frame = { id: 'x', type: 'SET', path: ['http', 'fetch'], value: raw('gone') };
    await askBareComlink(frame, exposed);
    expect(exposed.http.fetch).toBe('gone');
    expect(askSession(frame)).toMatchObject({ violations: 1, ran: 0 });
  });

  it('of SET at __proto__ pollutes every object of the host in bare Comlink, and is refused here', async () => {
    const frame = { id: 'x', type: 'SET', path: ['__proto__', 'polluted'], value: raw('yes') };
    await askBareComlink(frame);
    expect(({} as { polluted?: string }).polluted).toBe('yes');
    delete (Object.prototype as { polluted?: string }).polluted;
    expect(askSession(frame)).toMatchObject({ violations: 1, ran: 0 });
    expect({}).not.toHaveProperty('polluted');
  });

  it('of GET reads what the host never meant to show in bare Comlink, and is refused here', async () => {
    const frame = { id: 'x', type: 'GET', path: ['http', 'token'] };
    expect(await askBareComlink(frame, { http: { token: 'hunter2' } })).toMatchObject({ value: 'hunter2' });
    expect(askSession(frame)).toMatchObject({ violations: 1, ran: 0 });
  });

  it('of ENDPOINT opens a second way in with bare Comlink, and is refused here', async () => {
    const frame = { id: 'x', type: 'ENDPOINT', path: [] };
    const { value } = await askBareComlink(frame);
    expect(value).toHaveProperty('postMessage');
    ports.push(value as MessagePort);
    expect(askSession(frame)).toMatchObject({ violations: 1, ran: 0 });
  });

  it('of RELEASE makes bare Comlink deaf, and is refused here', async () => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    Comlink.expose(capabilities(), endpoint(port1));
    const replies: unknown[] = [];
    const released = new Promise<void>((resolve) =>
      port2.on('message', (reply) => {
        replies.push(reply);
        resolve();
      }),
    );
    port2.postMessage({ id: 'x', type: 'RELEASE', path: [] });
    await released;
    expect(port1.listenerCount('message')).toBe(0);

    const { guest, violations } = askSession({ id: 'x', type: 'RELEASE', path: [] });
    expect(violations).toBe(1);
    guest.say({ id: 'y', type: 'APPLY', path: ['http', 'fetch'], argumentList: [] });
    expect(await guest.hear(({ id }) => id === 'y')).toMatchObject({ type: 'RAW' });
  });

  it('with a proxy argument hands bare Comlink an object that calls back, and is refused here', async () => {
    const { port1 } = new MessageChannel();
    ports.push(port1);
    const seen: unknown[] = [];
    const argument = { type: 'HANDLER', name: 'throw', value: { isError: false, value: 'thrown by the guest' } };
    const frame = { id: 'x', type: 'APPLY', path: ['http', 'fetch'], argumentList: [argument] };
    // The throw handler throws while the arguments are read, outside of every try: nobody answers, the host is hit.
    expect(() => {
      const listen: ((event: MessageEvent) => void)[] = [];
      Comlink.expose(
        { http: { fetch: (value: unknown) => seen.push(value) } },
        {
          postMessage() {},
          addEventListener: (_type, listener) => void listen.push(listener as never),
          removeEventListener() {},
        },
      );
      listen[0]?.({ data: frame } as MessageEvent);
    }).toThrow('thrown by the guest');
    for (const bad of [argument, { type: 'HANDLER', name: 'proxy', value: {} }, { type: 'HANDLER', name: 'nope' }]) {
      expect(askSession({ ...frame, argumentList: [bad] })).toMatchObject({ violations: 1, ran: 0 });
    }
  });

  it('with an unknown handler kills the process of a bare Comlink, and is refused here', () => {
    const frame = { id: 'x', type: 'APPLY', path: ['f'], argumentList: [{ type: 'HANDLER', name: 'nope', value: 1 }] };
    const comlink = createRequire(import.meta.url).resolve('comlink');
    const script = `
      const Comlink = require(${JSON.stringify(comlink)});
      const { port1, port2 } = new MessageChannel();
      Comlink.expose({ f() {} }, {
        postMessage() {}, removeEventListener() {},
        addEventListener: (type, listener) => { port1.onmessage = (event) => listener(event); },
      });
      port2.postMessage(${JSON.stringify(frame)});
      setTimeout(() => process.exit(0), 2000);`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toContain('deserialize');
    expect(askSession({ ...frame, path: ['http', 'fetch'] })).toMatchObject({ violations: 1, ran: 0 });
  });

  it('that throws in the host shows the host’s stack through bare Comlink, and a sentence here', async () => {
    const failing = () => {
      throw new Error('ENOENT: /srv/plexi/token.secret');
    };
    const frame = { id: 'x', type: 'APPLY', path: ['http', 'fetch'], argumentList: [] };
    const bare = JSON.stringify(await askBareComlink(frame, { http: { fetch: failing } }));
    expect(bare).toContain('token.secret');
    expect(bare).toContain('bridge.test.ts');

    const guest = scriptGuest({ calls: { http: { fetch: async () => failing() } } });
    guest.say(frame);
    const ours = JSON.stringify(await guest.hear(({ id }) => id === 'x'));
    expect(ours).not.toMatch(/token\.secret|bridge\.test|at /);
  });
});

describe('a forged answer', () => {
  const withCall = () => {
    const guest = scriptGuest();
    const call = guest.session.call('invoke');
    return { guest, call, value: call.answer.catch((error: Error) => error) };
  };

  it('that throws through Comlink’s throw handler is refused: only values answer', async () => {
    const { guest, call, value } = withCall();
    const thrown = { isError: true, value: { message: 'x', name: 'Error', stack: 'at evil' } };
    guest.say({ id: call.id, type: 'HANDLER', name: 'throw', value: thrown });
    expect(guest.violations.length).toBe(1);
    guest.say({ id: call.id, type: 'RAW', value: 'the true answer' });
    expect(await value).toBe('the true answer');
  });

  it('with a made-up id counts against the guest and answers nobody', async () => {
    const { guest, call, value } = withCall();
    guest.say({ id: 'a-b-c-d', type: 'RAW', value: 'forged' }, { id: '__proto__', type: 'RAW', value: 'forged' });
    expect(guest.violations.length).toBe(2);
    guest.say({ id: call.id, type: 'RAW', value: 'true' });
    expect(await value).toBe('true');
  });

  it('that is sent twice counts once, and the second time against the guest', async () => {
    const { guest, call, value } = withCall();
    guest.say({ id: call.id, type: 'RAW', value: 'first' }, { id: call.id, type: 'RAW', value: 'second' });
    expect(await value).toBe('first');
    expect(guest.violations.length).toBe(1);
  });

  it('that comes late is forgiven once, and not twice', async () => {
    const { guest, call, value } = withCall();
    guest.session.settle(call.id, new Error('deadline'));
    for (let count = 0; count < 2; count++) guest.say({ id: call.id, type: 'RAW', value: 'late' });
    expect(await value).toMatchObject({ message: 'deadline' });
    expect(guest.violations.length).toBe(1);
  });

  it('that is a thenable or has prototype keys is data and nothing more', async () => {
    const { guest, call, value } = withCall();
    guest.sayText(`[{"id":"${call.id}","type":"RAW","value":{"then":"x","__proto__":{"polluted":1},"constructor":1}}]`);
    expect(Object.keys((await value) as object)).toEqual(['then', '__proto__', 'constructor']);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('a forged batch', () => {
  it.each([
    ['no JSON', 'x'],
    ['nothing', ''],
    ['no list', '{"id":"x"}'],
    ['nesting without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a list of junk', '[null, 1, "x", [], {}]'],
    ['streams that do not exist', '[{"stream":9999999,"op":"chunk"}]'],
    ['a chunk without bytes', '[{"stream":1,"op":"chunk"}]'],
    ['prototype keys', '[{"__proto__":{"id":"x","type":"RAW"}}]'],
  ])('of %s counts against the guest and throws nothing', (_name, head) => {
    const guest = scriptGuest();
    guest.sayText(head);
    expect(guest.violations.length).toBeGreaterThan(0);
  });

  it('of violations without end ends the session after a few', () => {
    const guest = scriptGuest({ quota: { violations: 20 } });
    for (let count = 0; count < 1_000; count++) guest.say(...Array.from({ length: 100 }, () => ({ id: 'x' })));
    expect(guest.floods).toEqual(['keeps breaking the bridge contract']);
    expect(guest.violations.length).toBe(21);
  });

  it('of more bytes than the quota ends the session', () => {
    const guest = scriptGuest({ quota: { bytesPerSecond: 1_000 }, now: () => 0 });
    guest.sayText('[]', [new Uint8Array(2_000)]);
    expect(guest.floods).toEqual(['sends more bytes than its quota']);
  });

  it('of a hundred thousand streams ends the session, and the host keeps a bounded number of them', () => {
    const guest = scriptGuest();
    for (let stream = 1; stream <= 100_000; stream++)
      guest.sayText(`[{"stream":${stream},"op":"chunk"}]`, [new Uint8Array(1)]);
    expect(guest.floods.length).toBe(1);
    expect(guest.violations.length).toBe(21);
    expect(guest.session.openStreams).toBe(0);
  });
});
