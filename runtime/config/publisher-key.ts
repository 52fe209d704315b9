/** Ed25519 public key of who signs packages: 32 bytes in base64. */
export const PUBLISHER_PATTERN = '^[A-Za-z0-9+/]{43}=$';
