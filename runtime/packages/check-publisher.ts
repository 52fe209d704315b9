/** Who may publish a module: the key that signed its first signed version, or one that the operator lists. */
import type { PackageIssue } from './package-error.ts';

export interface PublisherSettings {
  /** Module name → keys (base64) that may sign it, besides the pinned one. */
  readonly publishers: Readonly<Record<string, readonly string[]>>;
  readonly requireSignature: boolean;
}

export type PublisherVerdict =
  /** `pin` is what to keep for the name from now on. */
  { readonly ok: true; readonly pin: string | undefined } | { readonly ok: false; readonly issue: PackageIssue };

/** @param pinned the publisher kept for that name; nothing when none of its versions was signed */
export function checkPublisher(
  pinned: string | undefined,
  staged: { readonly name: string; readonly publisher: string | undefined },
  { publishers, requireSignature }: PublisherSettings,
): PublisherVerdict {
  const { name, publisher } = staged;
  const listed = Object.hasOwn(publishers, name) ? (publishers[name] ?? []) : [];
  if (publisher === undefined) {
    if (pinned === undefined && listed.length === 0 && !requireSignature) return { ok: true, pin: undefined };
    const reason =
      pinned !== undefined
        ? `earlier versions of ${name} were signed by ${pinned}`
        : listed.length > 0
          ? `the setting publishers lists who signs ${name}`
          : 'the setting packages.require_signature is on';
    return refuse(`The package is not signed, and ${reason}; sign it with "plexi sign".`);
  }
  if (listed.includes(publisher)) return { ok: true, pin: pinned ?? publisher };
  if (pinned === publisher) return { ok: true, pin: pinned };
  if (pinned === undefined && listed.length === 0) return { ok: true, pin: publisher };
  const allowed = [...new Set([...(pinned === undefined ? [] : [pinned]), ...listed])].join(', ');
  return refuse(
    `The package is signed by ${publisher}; allowed for ${name} is ${allowed}. A new key is let in by publishers.${name} in plexi.yaml.`,
  );
}

function refuse(message: string): PublisherVerdict {
  return { ok: false, issue: { path: 'signature.json', message } };
}
