/**
 * A PDP over a handful of facts, for tests of the adapters: it keeps to the
 * interface, and its answers are plain to see from the question. Subjects may do
 * what their id says: "user:read" may read everything, and nothing else.
 */
import type { Mode } from '../../src/model/entity.ts';
import { type ErrorCode, PosternError } from '../../src/model/errors.ts';
import { checked, idOf, problemOfAction, problemOfObject, problemOfSubject } from '../../src/model/names.ts';
import type { Decision, Query } from '../../src/model/query.ts';
import type { BehindTenant } from '../../src/pdp/readiness.ts';
import type { Call, ObjectList, Page, Pdp, View } from '../../src/pdp/view.ts';

export interface FakePdp extends Pdp {
  setReady(ready: boolean): void;
  /** Tenants whose policies are too old: all that there are. */
  setBehind(behind: readonly BehindTenant[]): void;
  /** Lets the questions go on that wait for revision "e1.2". */
  reach(): void;
  /** How many questions wait. */
  readonly waiting: number;
  readonly calls: { readonly query: Partial<Query>; readonly call: Call }[];
  /** Lists that ended, were returned early, or are open. */
  readonly lists: { readonly ended: boolean }[];
}

export const fakeDecisionId = '01JD0000000000000000000000';
/** Takes three bytes on the wire. */
export const fakeDataAgeMs = 75_000;
export const fakeBinding = '["user:alice","reader","*","allow"]';

/** @param keepCalls Off for benchmarks. */
export function createFakePdp({ keepCalls = true, objects = 2500, mode = 'enforce' as Mode } = {}): FakePdp {
  let ready = true;
  let behind: readonly BehindTenant[] = [];
  const listeners = new Set<(ready: boolean) => void>();
  const waiters = new Set<(error?: PosternError) => void>();
  const calls: { query: Partial<Query>; call: Call }[] = [];
  const lists: { ended: boolean }[] = [];

  function decide(query: Query, prefix: string): Decision {
    checked(query.subject, problemOfSubject(query.subject), 'INVALID_SUBJECT', `${prefix}subject`);
    checked(query.action, problemOfAction(query.action), 'INVALID_ACTION', `${prefix}action`);
    if (query.object !== '') {
      checked(query.object, problemOfObject(query.object), 'INVALID_OBJECT', `${prefix}object`);
    }
    const grants = idOf(query.subject);
    // "error:CODE" fails with that code, "crash:" with a defect.
    if (query.subject.startsWith('error:')) throw new PosternError(grants as ErrorCode, `as asked: ${grants}`);
    if (query.subject.startsWith('crash:')) throw new TypeError(`secret of ${grants}`);
    const allowed = grants === query.action || query.assertedGroups.includes(`group:${query.action}`);
    const reason = allowed ? 'ALLOWED' : query.reach === 'exact' ? 'NO_ROLE' : 'ROLE_LACKS_PERMISSION';
    const binding = allowed ? fakeBinding : '';
    return { allowed, reason, binding, decisionId: fakeDecisionId, enforcedAllowed: allowed, mode };
  }

  const view = (revision: string): View => ({
    revision,
    mode,
    dataAgeMs: fakeDataAgeMs,
    check(query, call, prefix = '') {
      if (keepCalls) calls.push({ query, call });
      return decide(query, prefix);
    },
    *listObjects(query, type, page, call) {
      yield;
      calls.push({ query, call });
      decide({ ...query, object: '' }, '');
      return listOf(type, page);
    },
    *listSubjects(question, type, page, call) {
      yield;
      const { action } = question;
      calls.push({ query: question, call });
      checked(action, problemOfAction(action), 'INVALID_ACTION', 'action');
      const subjects = [`${type === '' ? 'user' : type}:${action}`, `size:${page.size}`];
      return { subjects, wildcards: ['user:*'], nextPageToken: page.token, decisionId: fakeDecisionId };
    },
    *listActions(query, call) {
      yield;
      calls.push({ query, call });
      return { actions: [idOf(query.subject)], patterns: ['Get*'], decisionId: fakeDecisionId };
    },
    explain(query, call) {
      calls.push({ query, call });
      const decision = decide(query, 'check.');
      const step = { from: query.subject, to: 'group:readers', asserted: false };
      const path = {
        subjectSteps: [step],
        binding: fakeBinding,
        effect: 'allow' as const,
        roles: ['reader'],
        permission: 'doc:read',
        scope: '*',
        condition: '',
        objectSteps: [],
      };
      return { decision, path: decision.allowed ? path : undefined, summary: decision.allowed ? 'yes' : 'no' };
    },
  });
  const first = view('e1.1');
  const second = view('e1.2');

  function listOf(type: string, page: Page): ObjectList {
    const list = { ended: false };
    lists.push(list);
    const wanted = page.size === 0 ? objects : Math.min(page.size, objects);
    function* parts(): Generator<readonly string[], string> {
      try {
        for (let i = 0; i < wanted; i += 1000) {
          yield Array.from({ length: Math.min(1000, wanted - i) }, (_, k) => `${type}:${i + k}`);
        }
        return wanted < objects ? `after-${wanted}` : '';
      } finally {
        list.ended = true;
      }
    }
    return { scopes: [`${type}:*`], decisionId: fakeDecisionId, parts: parts() };
  }

  return {
    calls,
    lists,
    mustWait: false,
    readiness: {
      get ready() {
        return ready && behind.length === 0;
      },
      get loaded() {
        return ready;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      report() {
        const reason = ready ? 'the policies are too old' : 'no policy has been loaded yet';
        return { ready: this.ready, reason: this.ready ? '' : reason, behind, more: 0, decisionLog: undefined };
      },
    },
    get waiting() {
      return waiters.size;
    },
    setReady(now) {
      ready = now;
      for (const listener of listeners) listener(now);
    },
    setBehind(now) {
      behind = now;
      for (const listener of listeners) listener(ready && now.length === 0);
    },
    reach() {
      for (const done of waiters) done();
    },
    view(tenant, atLeast, signal) {
      if (!ready) throw new PosternError('NOT_READY', 'no policy has been loaded yet; ask again later');
      if (tenant !== '' && tenant !== 'default') {
        throw new PosternError('UNKNOWN_TENANT', `tenant "${tenant}" is not served`, { field: 'tenant' });
      }
      if (atLeast === '' || atLeast === 'e1.1') return first;
      if (atLeast !== 'e1.2') {
        throw new PosternError('REVISION_OF_OTHER_EPOCH', 'at_least is of another epoch', { field: 'at_least' });
      }
      return new Promise((resolve, reject) => {
        const done = () => {
          waiters.delete(done);
          if (signal?.aborted) reject(new PosternError('REVISION_NOT_REACHED', 'e1.2 did not come in time'));
          else resolve(second);
        };
        waiters.add(done);
        signal?.addEventListener('abort', done, { once: true });
      });
    },
  };
}
