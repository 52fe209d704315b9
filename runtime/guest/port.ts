/** A MessagePort that was moved into this realm: the only kind of object that ever enters it. */
export interface GuestPort {
  postMessage(message: unknown): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  start(): void;
}

/** All that may leave the realm. */
type PortMessage = string | number | ArrayBuffer;

/**
 * Binds the port's natives and then cuts its prototype.
 * Boundary: the port leaks to the module all the same (an event's target, a dispatch symbol), and its prototype has
 * natives that abort the process; without a prototype a leaked port is an inert object.
 */
export function bindPort(port: GuestPort, receive: (data: unknown) => void): (message: PortMessage) => void {
  const { apply } = Reflect;
  const { postMessage } = port;
  const isResizable = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable')?.get as () => boolean;
  port.onmessage = (event) => receive(event.data);
  port.start();
  Object.setPrototypeOf(port, null);
  return (message) => {
    // Boundary: a module that tampers with this realm's prototypes chooses what comes here. Node's own objects (the
    // DOMException that a refusing port throws) name the internal class that their receiver loads and fills, so neither
    // does an object leave, nor is such an error ever seen.
    try {
      // The getter throws at all that is no ArrayBuffer. One that can grow holds room for all that it may become.
      if (typeof message === 'string' || typeof message === 'number' || !apply(isResizable, message, [])) {
        apply(postMessage, port, [message]);
        return;
      }
    } catch {}
    throw new TypeError('Only text, numbers and ArrayBuffers of a fixed size leave this realm.');
  };
}
