/** Finds whom a question command asks. Loads nothing of the one that is not asked. */
import type { Asker } from './asker.ts';
import type { ConnectOptions } from './connect.ts';

/** As the options of options.ts give it. */
export interface AskerOptions extends ConnectOptions {
  /** A policy file to ask instead of a sidecar. */
  readonly policy?: string;
}

/** Asks, and closes what was opened for it. */
export async function withAsker<T>(options: AskerOptions, ask: (asker: Asker) => Promise<T>): Promise<T> {
  const asker = await openAsker(options);
  try {
    return await ask(asker);
  } finally {
    asker.close();
  }
}

async function openAsker(options: AskerOptions): Promise<Asker> {
  if (options.policy !== undefined) {
    const { openPolicyAsker } = await import('./policy-asker.ts');
    return openPolicyAsker(options.policy);
  }
  const [{ connect }, { DecisionService }] = await Promise.all([
    import('./connect.ts'),
    import('../gen/postern/v1/decision_service_pb.ts'),
  ]);
  const client = await connect(options);
  const { method } = DecisionService;
  return {
    check: (request) => client.unary(method.check, request),
    explain: (request) => client.unary(method.explain, { check: request }),
    listObjects: (request) => client.stream(method.listObjects, request),
    listSubjects: (request) => client.unary(method.listSubjects, request),
    listActions: (request) => client.unary(method.listActions, request),
    close: () => client.close(),
  };
}
