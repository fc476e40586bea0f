/** Administration as the options ask for it: who may call it, and whether anything can be written here. */
import { createAdministration } from '../admin/administration.ts';
import type { Administration } from '../admin/api.ts';
import { recorded } from '../admin/recorded.ts';
import { type Authenticator, createAuthenticator } from '../authn/authenticator.ts';
import { graphOptions } from '../condition/graph-options.ts';
import type { ServeOptions } from '../config/options.ts';
import type { ChangeEntry } from '../decision-log/change-entry.ts';
import { createIds } from '../decision-log/ids.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import { suggest } from '../policy-file/suggest.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ServedTenants } from './served-tenants.ts';

export interface OpenAdministration {
  readonly administration: Administration;
  readonly authenticate: Authenticator['authenticate'];
  close(): Promise<void>;
}

/** @param file Of credentials, --admin-auth. @throws PosternError INVALID_OPTION where the file is not valid */
export async function openAdministration(
  file: string,
  options: ServeOptions,
  store: Store,
  served: ServedTenants,
  logger: Logger,
  log: DecisionLog,
): Promise<OpenAdministration> {
  const { policy } = options;
  const authenticator = await createAuthenticator({
    file,
    now: Date.now,
    onEvent: (event) => {
      if (event.kind === 'loaded') {
        const { tokens, issuers, certificates } = event;
        logger.info({ file, tokens, issuers, certificates }, 'credentials of administrators are in force');
        if (certificates > 0 && options.tlsClientCa === undefined) {
          logger.warn({ file }, 'the file names client certificates, but none is asked for: set --tls-client-ca');
        }
      } else if (event.kind === 'keys-unavailable') {
        logger.error({ url: event.url }, `cannot fetch the keys of an issuer: ${event.why}`);
      } else if (event.kind === 'exposed') logger.warn({ file }, event.message);
      else logger.error({ file }, `the edit is refused; the last good credentials stay in force\n${event.message}`);
    },
  });
  const plain = createAdministration({
    tenants: served.tenants,
    store,
    readOnly:
      policy === undefined ? undefined : `this sidecar serves the policy file ${policy}: edit that, it is followed`,
    graph: graphOptions,
    suggest,
    now: Date.now,
    onTenantsChanged: () => served.look(),
  });
  const record = (entry: ChangeEntry) => log.append(entry);
  const administration = recorded(plain, { tenants: served.tenants, record, nextId: createIds(), now: Date.now });
  return { administration, authenticate: authenticator.authenticate, close: () => authenticator.close() };
}
