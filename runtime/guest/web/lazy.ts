/**
 * The groups that another group needs only now and then. `require` inside a function makes esbuild wrap the file:
 * nothing of it runs before the first call.
 */
declare function require(path: string): unknown;

export const streams = once(() => require('./streams.ts') as typeof import('./streams.ts'));
export const url = once(() => require('./url.ts') as typeof import('./url.ts'));
export const blob = once(() => require('./blob.ts') as typeof import('./blob.ts'));
export const formData = once(() => require('./form-data.ts') as typeof import('./form-data.ts'));
export const multipart = once(() => require('./multipart.ts') as typeof import('./multipart.ts'));
export const abort = once(() => require('./abort.ts') as typeof import('./abort.ts'));
export const encoding = once(() => require('./encoding.ts') as typeof import('./encoding.ts'));
export const clone = once(() => require('./structured-clone.ts') as typeof import('./structured-clone.ts'));
export const cryptography = once(() => require('./crypto.ts') as typeof import('./crypto.ts'));
export const events = once(() => require('./events.ts') as typeof import('./events.ts'));
export const base64 = once(() => require('./base64.ts') as typeof import('./base64.ts'));
export const domException = once(() => require('./dom-exception.ts') as typeof import('./dom-exception.ts'));
export const headers = once(() => require('./headers.ts') as typeof import('./headers.ts'));
export const request = once(() => require('./request.ts') as typeof import('./request.ts'));
export const response = once(() => require('./response.ts') as typeof import('./response.ts'));
export const performance = once(() => require('./performance.ts') as typeof import('./performance.ts'));
export const console = once(() => require('./console.ts') as typeof import('./console.ts'));

function once<Group>(load: () => Group): () => Group {
  let group: Group | undefined;
  return () => {
    group ??= load();
    return group;
  };
}
