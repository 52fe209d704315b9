/** Where a browser keeps its session. */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { placeOf } from './request-place.ts';

export interface SessionCookie {
  read(context: Context): string | undefined;
  write(context: Context, token: string, seconds: number): void;
  remove(context: Context): void;
}

const COOKIE = { path: '/console', httpOnly: true, sameSite: 'Strict' } as const;

/**
 * Cookies know no port. Two hosts on one machine do not sign each other out, since its name does; but whatever listens
 * there receives all of them, so that the cookie opens no data: see PAGE_KEY_HEADER.
 */
export function createSessionCookie(trustedProxies: number): SessionCookie {
  const about = (context: Context) => {
    const { origin, isSecure } = placeOf(context, trustedProxies);
    return { name: `plexi_session_${portOf(origin)}`, options: { ...COOKIE, secure: isSecure } };
  };
  return {
    read: (context) => getCookie(context, about(context).name),
    write(context, token, seconds) {
      const { name, options } = about(context);
      setCookie(context, name, token, { ...options, maxAge: seconds });
    },
    remove(context) {
      const { name, options } = about(context);
      deleteCookie(context, name, options);
    },
  };
}

/** As the browser sees it. */
function portOf(origin: string | undefined): string {
  if (origin === undefined) return 'unknown';
  const { port, protocol } = new URL(origin);
  return port || (protocol === 'https:' ? '443' : '80');
}
