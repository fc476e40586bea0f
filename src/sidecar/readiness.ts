/** Readiness as the options ask for it, and what the log tells of policies that grow too old. Called by the parts list. */
import { modeNameOf } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import { Readiness } from '../pdp/readiness.ts';
import type { Tenants } from '../replica/tenants.ts';
import type { Logger } from '../telemetry/logger.ts';

/** To be closed by the caller. */
export function openReadiness(options: ServeOptions, tenants: Tenants, log: DecisionLog, logger: Logger): Readiness {
  const { maxStalenessMs, whenStale } = options;
  const consequence = whenStale === 'refuse' ? 'is refused' : 'is answered all the same';
  return new Readiness({
    tenants,
    logHealth: () => {
      const { behindMs, spoolBytes, dropped } = log.stats();
      const mode = modeNameOf(options);
      return { mode, full: !log.hasRoom, behindMs: Math.round(behindMs), spoolBytes, dropped };
    },
    maxStalenessMs: maxStalenessMs === 0 ? Number.POSITIVE_INFINITY : maxStalenessMs,
    refuses: whenStale === 'refuse',
    onStale: ({ tenant, dataAgeMs, reason }, isStale) => {
      if (!isStale) logger.info({ tenant, dataAgeMs }, 'the policy is not older than --max-staleness any more');
      else
        logger.error(
          { tenant, dataAgeMs },
          `the policy is older than --max-staleness, what is asked ${consequence}: ${reason}`,
        );
    },
  });
}
