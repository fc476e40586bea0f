/**
 * A view: questions to one snapshot, each checked against the limits, answered
 * by the engine under the tenant's mode, counted, and recorded.
 */
import { DecidingPath } from '../decision-log/content/deciding-path.ts';
import type { DecisionEntry, DecisionLog, Source } from '../decision-log/log.ts';
import { decideFound } from '../engine/decide.ts';
import { explain } from '../engine/explain.ts';
import { listActions } from '../engine/list-actions.ts';
import { type ObjectQuestion, type ObjectScan, scanObjects } from '../engine/list-objects.ts';
import { listSubjects, type SubjectQuestion } from '../engine/list-subjects.ts';
import type { Steps } from '../engine/steps.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Mode } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { defaultPageSize, maxPageSize } from '../model/limits.ts';
import { everyone } from '../model/names.ts';
import type { Decision, Query, Verdict } from '../model/query.ts';
import {
  checkAction,
  checkActiveRoles,
  checkAssertedGroups,
  checkAttributes,
  checkObject,
  checkSubject,
  checkType,
} from './check-query.ts';
import type { DecisionCounters } from './counters.ts';
import type { PageTokens } from './page-tokens.ts';
import { summarise } from './summary.ts';
import type { ActionList, Call, Explanation, ObjectList, Page, SubjectList, View } from './view.ts';

/** What the views of one tenant share. */
export interface ViewContext {
  readonly tenant: string;
  readonly log: DecisionLog;
  readonly nextId: (nowMs: number) => string;
  readonly now: () => number;
  readonly allowAssertedGroups: boolean;
  readonly counters: DecisionCounters;
  readonly pageTokens: PageTokens;
}

/** Objects in one part of a list. */
const partSize = 1_000;
/** A part that is not full after so many steps goes as it is: the caller may have a use for what there is. */
const mostStepsForPart = 20;

const off: Verdict = { allowed: true, reason: 'ENFORCEMENT_OFF', binding: '' };
const noGroups: readonly string[] = [];

export class SnapshotView implements View {
  readonly snapshot: Snapshot;
  readonly revision: string;
  readonly mode: Mode;
  readonly dataAgeMs: number;
  readonly #context: ViewContext;

  constructor(snapshot: Snapshot, revision: string, dataAgeMs: number, context: ViewContext) {
    this.snapshot = snapshot;
    this.revision = revision;
    this.mode = snapshot.mode;
    this.dataAgeMs = dataAgeMs;
    this.#context = context;
  }

  check(query: Query, call: Call, fieldPrefix = ''): Decision {
    const { names } = this.snapshot;
    const subject = checkSubject(query.subject, names, fieldPrefix);
    const object = checkObject(query.object, query.reach, names, fieldPrefix);
    this.#checkRest(query, fieldPrefix);
    const nowMs = this.#context.now();
    const verdict = this.mode === 'off' ? off : decideFound(this.snapshot, query, subject, object, nowMs, fieldPrefix);
    return this.#record(query, verdict, call, nowMs, undefined);
  }

  explain(query: Query, call: Call): Explanation {
    checkSubject(query.subject, this.snapshot.names, 'check.');
    checkObject(query.object, query.reach, this.snapshot.names, 'check.');
    this.#checkRest(query, 'check.');
    const nowMs = this.#context.now();
    const explained =
      this.mode === 'off' ? { verdict: off, path: undefined } : explain(this.snapshot, query, nowMs, 'check.');
    const path = DecidingPath.known(explained.path);
    const decision = this.#record(query, explained.verdict, call, nowMs, path);
    return { decision, path: explained.path, summary: summarise(query, decision, explained.path) };
  }

  *listObjects(question: ObjectQuestion, type: string, page: Page, call: Call): Steps<ObjectList> {
    checkType(type);
    checkAction(question.action, '');
    this.#checkAsker(question);
    const { pageTokens, now, nextId } = this.#context;
    const nowMs = now();
    const asked = ['objects', question, type];
    const after = pageTokens.parse(this.snapshot.names, asked, page.token);
    const scan = yield* scanObjects(this.snapshot, question, type, nowMs, after);
    const decisionId = nextId(nowMs);
    const parts = this.#partsOf(scan, page.size, asked, (count) => {
      this.#recordList(decisionId, question, `${type}:*`, call, nowMs, count);
    });
    return { scopes: scan.scopes, decisionId, parts };
  }

  *#partsOf(
    scan: ObjectScan,
    size: number,
    asked: unknown,
    onEnd: (count: number) => void,
  ): Generator<readonly string[] | undefined, string> {
    let count = 0;
    try {
      while (!scan.done && (size === 0 || count < size)) {
        const part = yield* this.#partOf(scan, size === 0 ? partSize : Math.min(partSize, size - count));
        count += part.length;
        yield part;
      }
      const position = scan.position;
      // Only another object, not another candidate, makes another page.
      const further: string[] = [];
      for (; !scan.done; yield) {
        scan.fill(further, 1);
        if (further.length > 0) return this.#context.pageTokens.format(this.snapshot.names, asked, position);
      }
      return '';
    } finally {
      onEnd(count);
    }
  }

  *#partOf(scan: ObjectScan, most: number): Steps<string[]> {
    const part: string[] = [];
    for (let steps = 1; ; steps++) {
      scan.fill(part, most);
      if (scan.done || part.length === most || (part.length > 0 && steps >= mostStepsForPart)) return part;
      yield;
    }
  }

  *listSubjects(question: SubjectQuestion, type: string, page: Page, call: Call): Steps<SubjectList> {
    const { action, object, reach, attributes } = question;
    if (type !== '') checkType(type);
    checkAction(action, '');
    checkObject(object, reach, this.snapshot.names, '');
    if (page.size > maxPageSize) {
      throw new PosternError(
        'LIMIT_EXCEEDED',
        `page_size is ${page.size}; the most is ${maxPageSize}, ask for more by pages`,
        { field: 'page_size', limit: String(maxPageSize) },
      );
    }
    const { pageTokens, now, nextId } = this.#context;
    const nowMs = now();
    checkAttributes(attributes, this.snapshot.attributeTypes, '');
    const asked = ['subjects', question, type];
    const after = pageTokens.parse(this.snapshot.names, asked, page.token);
    const size = page.size === 0 ? defaultPageSize : page.size;
    const found = yield* listSubjects(this.snapshot, question, type, nowMs, after, size);
    const decisionId = nextId(nowMs);
    const asker = {
      subject: type === '' ? everyone : `${type}:*`,
      action,
      reach,
      assertedGroups: noGroups,
      attributes,
    };
    this.#recordList(decisionId, asker, object, call, nowMs, found.subjects.length);
    const nextPageToken = found.position < 0 ? '' : pageTokens.format(this.snapshot.names, asked, found.position);
    return { subjects: found.subjects, wildcards: found.wildcards, nextPageToken, decisionId };
  }

  *listActions(question: Omit<Query, 'action'>, call: Call): Steps<ActionList> {
    checkObject(question.object, question.reach, this.snapshot.names, '');
    this.#checkAsker(question);
    const nowMs = this.#context.now();
    const { actions, patterns } = yield* listActions(this.snapshot, question, nowMs);
    const decisionId = this.#context.nextId(nowMs);
    this.#recordList(decisionId, { ...question, action: '*' }, question.object, call, nowMs, actions.length);
    return { actions, patterns, decisionId };
  }

  #checkRest(query: Query, prefix: string): void {
    checkAction(query.action, prefix);
    if (query.assertedGroups.length > 0)
      checkAssertedGroups(query.assertedGroups, this.#context.allowAssertedGroups, prefix);
    checkActiveRoles(query.activeRoles, prefix);
    checkAttributes(query.attributes, this.snapshot.attributeTypes, prefix);
  }

  #checkAsker(question: Pick<Query, 'subject' | 'assertedGroups' | 'activeRoles' | 'attributes'>): void {
    checkSubject(question.subject, this.snapshot.names, '');
    checkAssertedGroups(question.assertedGroups, this.#context.allowAssertedGroups, '');
    checkActiveRoles(question.activeRoles, '');
    checkAttributes(question.attributes, this.snapshot.attributeTypes, '');
  }

  /** @param path Where it is known already; otherwise the log may take a sample of it. */
  #record(query: Query, verdict: Verdict, call: Call, nowMs: number, path: DecidingPath | undefined): Decision {
    const context = this.#context;
    const decision: Decision = {
      allowed: verdict.allowed || this.mode !== 'enforce',
      reason: verdict.reason,
      binding: verdict.binding,
      decisionId: context.nextId(nowMs),
      enforcedAllowed: verdict.allowed,
      mode: this.mode,
    };
    const count = context.counters[call.source];
    if (decision.allowed) count.allowed++;
    else count.denied++;
    const { takesPath } = context.log;
    if (path === undefined && takesPath !== undefined && takesPath(decision.decisionId) && this.mode !== 'off') {
      path = DecidingPath.later(this.snapshot, query, nowMs);
    }
    context.log.append(this.#entry(query, query.object, decision, call, nowMs, -1, path));
    return decision;
  }

  #recordList(id: string, question: ObjectQuestion, object: string, call: Call, nowMs: number, results: number): void {
    const allowed = results > 0;
    const count = this.#context.counters[call.source];
    if (allowed) count.allowed++;
    else count.denied++;
    const reason = this.mode === 'off' ? 'ENFORCEMENT_OFF' : allowed ? 'ALLOWED' : 'NO_ROLE';
    const decision: Decision = {
      allowed,
      reason,
      binding: '',
      decisionId: id,
      enforcedAllowed: allowed,
      mode: this.mode,
    };
    this.#context.log.append(this.#entry(question, object, decision, call, nowMs, results, undefined));
  }

  #entry(
    asked: ObjectQuestion,
    object: string,
    decision: Decision,
    call: Call,
    time: number,
    results: number,
    path: DecidingPath | undefined,
  ): DecisionEntry {
    return {
      id: decision.decisionId,
      time,
      tenant: this.#context.tenant,
      subject: asked.subject,
      action: asked.action,
      object,
      allowed: decision.allowed,
      enforcedAllowed: decision.enforcedAllowed,
      reason: decision.reason,
      binding: decision.binding,
      revision: this.revision,
      dataAgeMs: this.dataAgeMs,
      mode: decision.mode,
      source: call.source satisfies Source,
      reach: asked.reach,
      caller: call.caller,
      traceId: call.traceId,
      assertedGroups: asked.assertedGroups.length === 0 ? undefined : asked.assertedGroups,
      activeRoles: asked.activeRoles?.length ? asked.activeRoles : undefined,
      attributes: asked.attributes,
      results,
      path,
    };
  }
}
