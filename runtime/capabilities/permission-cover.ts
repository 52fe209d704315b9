/** Whether an operator's yes reaches as far as a module asks; the capabilities ask this at every call. */
import type { Permission } from './permission.ts';

/** Boundary: the one answer to "was this granted?". False for anything that is not plainly inside the grant. */
export function covers(granted: Permission, asked: Permission): boolean {
  if (granted.capability === 'http' && asked.capability === 'http') {
    return coversHost(granted.host, asked.host) && coversPort(granted.port, asked.port);
  }
  if (granted.capability === 'files' && asked.capability === 'files') {
    return granted.access === asked.access && `${asked.directory}/`.startsWith(`${granted.directory}/`);
  }
  if (granted.capability === 'events' && asked.capability === 'events') {
    return coversSteps(granted.pattern.split('.'), asked.pattern.split('.'));
  }
  if (granted.capability === 'modules' && asked.capability === 'modules') return granted.name === asked.name;
  return granted.capability === asked.capability;
}

/** Which of the asked permissions no grant covers. */
export function notCovered(granted: readonly Permission[], asked: readonly Permission[]): Permission[] {
  return asked.filter((permission) => !granted.some((grant) => covers(grant, permission)));
}

/** `*` is one level: `*.example.com` covers api.example.com, neither example.com nor a.b.example.com. */
function coversHost(granted: string, asked: string): boolean {
  if (granted === asked) return true;
  if (!granted.startsWith('*.')) return false;
  const [first = '', ...rest] = asked.split('.');
  return first !== '' && first !== '*' && rest.join('.') === granted.slice(2);
}

/** No port means the usual ports of http and https. */
function coversPort(granted: number | undefined, asked: number | undefined): boolean {
  if (granted === undefined) return asked === undefined || asked === 80 || asked === 443;
  return granted === asked;
}

/** `message.*` covers message.sent, not message.sent.late: a star is one step. */
function coversSteps(granted: readonly string[], asked: readonly string[]): boolean {
  return granted.length === asked.length && granted.every((step, index) => step === '*' || step === asked[index]);
}
