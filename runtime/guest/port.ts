/** A MessagePort that was moved into this realm: the only kind of object that ever enters it. */
export interface GuestPort {
  postMessage(message: unknown): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  start(): void;
}

/**
 * Binds the port's natives and then cuts its prototype.
 * Boundary: the port leaks to the module all the same (an event's target, a dispatch symbol), and its prototype has
 * natives that abort the process; without a prototype a leaked port is an inert object.
 */
export function bindPort(port: GuestPort, receive: (data: unknown) => void): (message: unknown) => void {
  const { apply } = Reflect;
  const { postMessage } = port;
  port.onmessage = (event) => receive(event.data);
  port.start();
  Object.setPrototypeOf(port, null);
  return (message) => {
    apply(postMessage, port, [message]);
  };
}
