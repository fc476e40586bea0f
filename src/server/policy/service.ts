/** PolicyService as both transports serve it: the answers, under the names of the methods. */
import { PolicyService } from '../../gen/postern/v1/policy_service_pb.ts';
import type { AuthenticatedService, UnaryAnswer } from '../authenticated.ts';
import { createAnswers, type PolicyParts, type RequestOf, watchChanges } from './answers.ts';

/** @param policy Undefined serves no PolicyService, and tells its callers so. */
export function policyServiceOf(policy: PolicyParts | undefined): AuthenticatedService {
  return {
    desc: PolicyService,
    absentMessage:
      'PolicyService is not served here; start the sidecar with --admin-auth <file>, which says who may call it',
    served: policy && {
      authenticate: policy.authenticate,
      unary: createAnswers(policy.administration) as unknown as Readonly<Record<string, UnaryAnswer>>,
      streams: {
        watchChanges: (caller, credentials, request, signal) =>
          watchChanges(policy, caller, credentials, request as RequestOf<'watchChanges'>, signal),
      },
      resume: 'watch again, since the last revision that came',
    },
  };
}
