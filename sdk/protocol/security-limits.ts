/** Apart from the schema: the guest needs the number, and with a schema it would load typebox for every module. */

/** Characters of the details of a security report, as JSON. */
export const MAX_SECURITY_DETAILS = 2_000;
