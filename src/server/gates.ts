/**
 * What every call passes on its way in, and what it shares with all others. Made once by the parts list, for both
 * transports.
 */
import { Admission, type AdmissionLimits, type ShedReason } from './admission.ts';
import { realClock } from './clock.ts';
import { LongWork } from './long-work.ts';

export interface GateLimits extends AdmissionLimits {
  /** Calls that one connection may have open; more wait in the client. */
  readonly maxConcurrentStreams: number;
}

export interface Gates {
  readonly admission: Admission;
  readonly longWork: LongWork;
  readonly maxConcurrentStreams: number;
}

/** @param onOverload As Admission tells it. */
export function createGates(limits: GateLimits, onOverload: (reason: ShedReason, shed: number) => void): Gates {
  const longWork = new LongWork(realClock);
  const admission = new Admission(limits, realClock, longWork, onOverload);
  return { admission, longWork, maxConcurrentStreams: limits.maxConcurrentStreams };
}
