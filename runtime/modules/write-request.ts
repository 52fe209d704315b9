/** An endpoint request as the JSON that crosses the bridge. What many requests share is written once. */
import type { Caller, EndpointRequest } from '@plexichat/sdk/protocol/invocation';

/** Verified callers are remembered by policy, so the same object comes again and again. */
const callers = new WeakMap<Caller, string>();

export function writeRequest(request: Omit<EndpointRequest, 'invocation'>, invocation: number): string {
  const { handler, method, url, headers, params, query, user, requestId, deadline } = request;
  // Method and request id were checked by the gateway, and hold no character that JSON escapes.
  return `{"invocation":${invocation},"handler":${JSON.stringify(handler)},"method":"${method}","url":${JSON.stringify(url)},"headers":${JSON.stringify(headers)},"params":${JSON.stringify(params)},"query":${JSON.stringify(query)},"user":${writeCaller(user)},"requestId":"${requestId}","deadline":${deadline}}`;
}

function writeCaller(caller: Caller | null): string {
  if (caller === null) return 'null';
  let text = callers.get(caller);
  if (text === undefined) {
    text = JSON.stringify(caller);
    callers.set(caller, text);
  }
  return text;
}
