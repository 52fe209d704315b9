/** What a module asks for and was granted, in words for operators. */
import { formatPermission, type Permission } from '../capabilities/permission.ts';
import { covers, notCovered } from '../capabilities/permission-cover.ts';
import { describePermission, type Risk } from '../capabilities/permission-words.ts';
import { type AskingManifest, askedBy, type GrantBook, type HeldGrant, readPermissions } from './grant-book.ts';

export interface AskedPermission {
  readonly permission: string;
  readonly risk: Risk;
  readonly sentence: string;
  /** The module does not run without. */
  readonly required: boolean;
  readonly granted: boolean;
}

export interface GrantedPermission {
  readonly permission: string;
  readonly risk: Risk;
  readonly sentence: string;
  readonly source: HeldGrant['source'];
  readonly granted_by: string | null;
  readonly granted_at: string | null;
  readonly uses: number;
  readonly last_used_at: string | null;
}

export interface PermissionsView {
  readonly asked: readonly AskedPermission[];
  readonly granted: readonly GrantedPermission[];
  /** Granted, and not used since. */
  readonly unused: readonly string[];
  /** Required, and not granted. */
  readonly waits_for: readonly string[];
}

export function viewPermissions(manifest: AskingManifest, grants: GrantBook): PermissionsView {
  const name = manifest.module_name;
  const held = grants.held(manifest);
  const required = readPermissions(manifest.required_permissions);
  const allowed = held.map(({ permission }) => permission);
  const granted = held.map((grant) => viewGrant(name, grant, grants));
  const unused = held.flatMap(({ at = 0 }, index) => {
    const grant = granted[index];
    const last = grant?.last_used_at ?? null;
    return grant !== undefined && (last === null || Date.parse(last) < at) ? grant.permission : [];
  });
  return {
    asked: askedBy(manifest).map((permission) => ({
      ...viewPermission(permission),
      required: required.some((one) => formatPermission(one) === formatPermission(permission)),
      granted: allowed.some((grant) => covers(grant, permission)),
    })),
    granted,
    unused: [...new Set(unused)],
    waits_for: notCovered(allowed, required).map(formatPermission),
  };
}

/** What is kept for a module that nobody can ask what it wants. */
export function viewKept(module: string, grants: GrantBook): PermissionsView {
  const granted = grants.kept(module).map((grant) => viewGrant(module, grant, grants));
  return { asked: [], granted, unused: granted.map(({ permission }) => permission), waits_for: [] };
}

function viewGrant(module: string, { permission, source, at, by }: HeldGrant, grants: GrantBook): GrantedPermission {
  const use = grants.uses.of(module, formatPermission(permission));
  return {
    ...viewPermission(permission),
    source,
    granted_by: by ?? null,
    granted_at: toMoment(at),
    uses: use?.uses ?? 0,
    last_used_at: toMoment(use?.lastUsedAt),
  };
}

function viewPermission(permission: Permission) {
  return { permission: formatPermission(permission), ...describePermission(permission) };
}

function toMoment(at: number | undefined): string | null {
  return at === undefined || at === 0 ? null : new Date(at).toISOString();
}
