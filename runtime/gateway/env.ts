import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Hono's context holds here; without a socket (`app.request()`) the bindings are empty. */
export interface GatewayEnv {
  Bindings: { incoming?: IncomingMessage; outgoing?: ServerResponse };
  Variables: {
    requestId: string;
    /** Whom an anonymous request counts for. */
    address: string;
  };
}
