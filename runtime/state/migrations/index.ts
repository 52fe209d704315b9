/** All steps of the schema of state.db, in the order of their numbers. One that was ever released does not change. */
import type { Migration } from '../migrate.ts';
import { storage } from './001-storage.ts';
import { grants } from './010-grants.ts';
import { secrets } from './011-secrets.ts';
import { securityEvents } from './012-security-events.ts';
import { notifications } from './020-notifications.ts';
import { packages } from './030-packages.ts';
import { settings } from './040-settings.ts';
import { audit } from './050-audit.ts';
import { tokens } from './060-tokens.ts';
import { secretPlaces } from './070-secret-places.ts';

export const MIGRATIONS: readonly Migration[] = [
  storage,
  grants,
  secrets,
  securityEvents,
  notifications,
  packages,
  settings,
  audit,
  tokens,
  secretPlaces,
];
