/** Variables of the environment that are the command line's own, and no options of the sidecar. */

/** Names the sidecar for all commands that ask one. */
export const addressVariable = 'POSTERN_ADDRESS';

/** A bearer token for those who administer. */
export const tokenVariable = 'POSTERN_TOKEN';

/** The tenant, for all commands that are about one; `postern serve` reads it, too, and may be told several. */
export const tenantVariable = 'POSTERN_TENANT';
