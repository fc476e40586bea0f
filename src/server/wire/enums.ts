/** Numbers of the enums that answers carry, as decision.proto lists them; a test holds them against the generated code. */
import type { Mode } from '../../model/entity.ts';
import type { Reason } from '../../model/query.ts';

export const modeNumbers = { enforce: 1, shadow: 2, off: 3 } as const satisfies Readonly<Record<Mode, number>>;

export const reasonNumbers = {
  ALLOWED: 1,
  EXPLICIT_DENY: 2,
  ROLE_LACKS_PERMISSION: 3,
  NO_ROLE: 4,
  ENFORCEMENT_OFF: 5,
  CONDITION_NOT_MET: 6,
} as const satisfies Readonly<Record<Reason, number>>;
