/** The text form of a permission, `capability[:caveat]`, read into a value that can be compared and explained. */
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';

export type Permission =
  /** `port` is absent for the usual ports of http and https. */
  | { readonly capability: 'http'; readonly host: string; readonly port?: number }
  | { readonly capability: 'files'; readonly access: 'read' | 'write'; readonly directory: string }
  | { readonly capability: 'events'; readonly pattern: string }
  | { readonly capability: 'modules'; readonly name: string }
  | { readonly capability: 'database' }
  | { readonly capability: 'storage' }
  | { readonly capability: 'notifications' }
  | { readonly capability: 'users' };

export type ParsedPermission = { ok: true; permission: Permission } | { ok: false; message: string };

/** @example parsePermission('http:*.example.com') */
export function parsePermission(text: string): ParsedPermission {
  const colon = text.indexOf(':');
  const capability = colon < 0 ? text : text.slice(0, colon);
  const caveat = colon < 0 ? undefined : text.slice(colon + 1);
  const form = isCapability(capability) ? FORMS[capability] : undefined;
  if (form === undefined) return refuse(text, 'no permission has this name', Object.values(FORMS));
  // Boundary: what no form reads is refused, never guessed.
  const permission = form.read(caveat);
  if (typeof permission === 'string') return refuse(text, permission, [form]);
  return { ok: true, permission };
}

/** What is wrong with a permission in its text form; undefined when nothing is. */
export function checkPermission(text: string): string | undefined {
  const parsed = parsePermission(text);
  return parsed.ok ? undefined : parsed.message;
}

/** The one way to write a permission: two texts mean the same exactly when this gives the same. */
export function formatPermission(permission: Permission): string {
  switch (permission.capability) {
    case 'http':
      return `http:${permission.host}${permission.port === undefined ? '' : `:${permission.port}`}`;
    case 'files':
      return `files:${permission.access}:${permission.directory}`;
    case 'events':
      return `events:subscribe:${permission.pattern}`;
    case 'modules':
      return `modules:call:${permission.name}`;
    case 'storage':
      return 'storage:large';
    case 'notifications':
      return 'notifications:send';
    case 'users':
      return 'users:read';
    case 'database':
      return 'database';
  }
}

interface Form {
  readonly written: string;
  /** The permission, or what is wrong with the caveat. */
  readonly read: (caveat: string | undefined) => Permission | string;
}

const word = (capability: 'storage' | 'notifications' | 'users', only: string): Form => ({
  written: `${capability}:${only}`,
  read: (caveat) => (caveat === only ? { capability } : `only "${only}" may follow "${capability}:"`),
});

const FORMS = {
  http: { written: 'http:HOST or http:HOST:PORT', read: readHttp },
  files: { written: 'files:read:/DIRECTORY or files:write:/DIRECTORY', read: readFiles },
  database: {
    written: 'database',
    read: (caveat) => (caveat === undefined ? { capability: 'database' } : 'nothing may follow "database"'),
  },
  storage: word('storage', 'large'),
  events: { written: 'events:subscribe:PATTERN', read: readEvents },
  notifications: word('notifications', 'send'),
  users: word('users', 'read'),
  modules: { written: 'modules:call:NAME', read: readModules },
} as const satisfies Record<Permission['capability'], Form>;

function isCapability(text: string): text is keyof typeof FORMS {
  return Object.hasOwn(FORMS, text);
}

function refuse(text: string, reason: string, allowed: readonly Form[]): ParsedPermission {
  const forms = allowed.map((form) => form.written).join(', ');
  return { ok: false, message: `found ${JSON.stringify(text.slice(0, 100))}: ${reason}; allowed is ${forms}.` };
}

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function readHttp(caveat: string | undefined): Permission | string {
  if (caveat === undefined || caveat === '') return 'a host name must follow "http:"';
  const [host = '', port, ...more] = caveat.split(':');
  if (/^\[|^[0-9a-f]*:[0-9a-f:]*$/i.test(caveat) || more.length > 1)
    return 'an IP address is not allowed, name the host';
  if (more.length > 0 || /[/?#@\\]/.test(caveat)) return 'a host name is wanted, not a URL';
  if (host !== host.toLowerCase()) return 'host names are written in lower case';
  if (host.length > 253 || !HOST.test(host)) return 'this is not a host name';
  const labels = host.split('.');
  // Boundary: URL parsers read a host whose last label is a number as an IPv4 address.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return 'an IP address is not allowed, name the host';
  if (labels[0] === '*' && labels.length < 3) return 'a wildcard must stand before a domain of two labels at least';
  if (port === undefined) return { capability: 'http', host };
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) return 'the port must be a number from 1 to 65535';
  return { capability: 'http', host, port: Number(port) };
}

function readFiles(caveat: string | undefined): Permission | string {
  const [, access, directory] = /^(read|write):(.*)$/s.exec(caveat ?? '') ?? [];
  if ((access !== 'read' && access !== 'write') || directory === undefined)
    return '"read:" or "write:" must follow "files:"';
  if (!directory.startsWith('/') || directory === '/') return 'the directory must start with "/" and name a folder';
  const steps = directory.slice(1).split('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses.
  if (steps.some((step) => step === '' || step === '.' || step === '..' || /[\\\u0000-\u001f]/.test(step))) {
    return 'the directory must be plain: no "..", no ".", no "//", no "/" at the end, no backslash';
  }
  return { capability: 'files', access, directory };
}

const EVENT_PATTERN = /^[a-z][a-z0-9_]*(\.([a-z0-9_]+|\*))*$/;

function readEvents(caveat: string | undefined): Permission | string {
  const [, pattern] = /^subscribe:(.*)$/s.exec(caveat ?? '') ?? [];
  if (pattern === undefined) return '"subscribe:" must follow "events:"';
  if (pattern.length > 128 || !EVENT_PATTERN.test(pattern)) return 'the pattern must look like user.login or message.*';
  return { capability: 'events', pattern };
}

function readModules(caveat: string | undefined): Permission | string {
  const [, name] = /^call:(.*)$/s.exec(caveat ?? '') ?? [];
  if (name === undefined) return '"call:" must follow "modules:"';
  if (!new RegExp(MODULE_NAME_PATTERN).test(name)) return 'a module name must follow "modules:call:"';
  return { capability: 'modules', name };
}
