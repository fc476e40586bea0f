/**
 * Who may do after a commit what they might not before, and whether somebody entitled gave it to them. Every question
 * of the universe is asked before and after, now and later. A gain at a point (action, object, instant, context) is
 * entitled where
 * (a) the caller was allowed it there itself (of what was created, when it had been), or
 * (b) the caller held `escalate` there or on the tenant (now), or
 * (c, d) it is there as well when, of all that was changed, only this is done: memberships of groups whose members
 *     the caller manages (he lets himself in, but not out), what was created, and what the hooks of the graph before
 *     made of it.
 * Neither (a) nor (b) depends on who gains, so a gain that needs several changes is covered by this, too.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EntityRecord } from '../../src/model/entity.ts';
import { differencesBetween, type Step, withCreated } from './administration-step.ts';
import { alwaysAllowed, may, type Table, tableOf } from './administration-table.ts';
import { type Cell, cells, contexts, instantsFrom, subjects } from './administration-universe.ts';
import { applyPlainly } from './arbitraries.ts';

export interface Gain {
  readonly subject: string;
  readonly cell: number;
  readonly at: number;
  readonly context: number;
}

/** Everything that somebody may do after, and might not before. */
export function gainsOf(before: Table, after: Table, now: number): readonly Gain[] {
  const gains: Gain[] = [];
  for (const subject of subjects) {
    for (const at of instantsFrom(now)) {
      for (const [context, attributes] of contexts.entries()) {
        const was = before.allowed(subject, at, attributes);
        const is = after.allowed(subject, at, attributes);
        for (let cell = 0; cell < cells.length; cell++) {
          if (is[cell] === 1 && was[cell] === 0) gains.push({ subject, cell, at, context });
        }
      }
    }
  }
  return gains;
}

/** The gains that nobody entitled granted, in words; and what roles and hooks could give away later. */
export function unentitledGains(step: Step, before: Table, after: Table, gains: readonly Gain[]): readonly string[] {
  const placed = withCreated(step);
  const table = isDeepStrictEqual(placed, step.before) ? before : tableOf(placed);
  const escalates = escalations(placed, step);
  const open = gains.filter(
    ({ cell, at, context }) =>
      !escalates(cell) && table.allowed(step.acting, at, contexts[context] as (typeof contexts)[number])[cell] !== 1,
  );
  const latent = latentGains(step, before, after, table, escalates);
  if (open.length === 0) return latent;
  const others = tableOf(withMembers(step, placed, true));
  const oneself = tableOf(withMembers(step, placed, false));
  return [
    ...open
      .filter(({ subject, cell, at, context }) => {
        const explained = subject === step.acting ? oneself : others;
        return explained.allowed(subject, at, contexts[context] as (typeof contexts)[number])[cell] !== 1;
      })
      .map((gain) => `unentitled: ${describeGain(gain, step.now)}`),
    ...latent,
  ];
}

/**
 * The graph before with what was created, what its hooks made, and the memberships that the caller manages: of those
 * that begin or last longer, and where others are asked about, those that end, too. Nobody lets himself out.
 */
function withMembers(step: Step, placed: readonly EntityRecord[], ending: boolean): readonly EntityRecord[] {
  const members = differencesBetween(step.before, step.after).filter(({ before, after }) => {
    const record = after ?? before;
    if (record?.kind !== 'member' || !may(placed, step.acting, 'manage_members', record.group, step.now)) return false;
    return ending || (after !== undefined && (before === undefined || endOf(before) < endOf(after)));
  });
  return applyPlainly(
    placed,
    members.map(({ kind, key, after }) =>
      after === undefined ? { op: 'delete', kind, key } : { op: 'put', record: after },
    ),
  );
}

function endOf(record: EntityRecord): number {
  return record.kind === 'member' ? (record.expiresAt ?? Number.POSITIVE_INFINITY) : 0;
}

/**
 * A role's permissions are given to whoever holds it, then and later (a hook may bind it tomorrow), so what a role
 * gains must be held on the whole tenant; and so must what a new hook binds.
 */
function latentGains(
  step: Step,
  before: Table,
  after: Table,
  placed: Table,
  escalates: (cell: number) => boolean,
): readonly string[] {
  const tenantWide = escalates(cells.findIndex((cell) => cell.object === ''));
  if (tenantWide) return [];
  const problems: string[] = [];
  const held = (cell: number) => instantsFrom(step.now).every((at) => alwaysAllowed(placed, step.acting, at, cell));
  const changed = differencesBetween(step.before, step.after);
  if (changed.some(({ kind }) => kind === 'role')) {
    // A move may change what a role is about, too; who gains by that is among the gains.
    const others = step.after.filter(({ kind }) => kind !== 'role');
    const old = tableOf([...others, ...step.before.filter(({ kind }) => kind === 'role')]);
    for (const role of step.after) {
      if (role.kind !== 'role') continue;
      const [was, is] = [old.granted(role.name), after.granted(role.name)];
      const cell = cells.findIndex((_, i) => is[i] === 1 && was[i] === 0 && !held(i));
      if (cell >= 0) problems.push(`role ${role.name} gains ${describeCell(cells[cell] as Cell)}, which is not held`);
    }
  }
  for (const { before: old, after: hook } of changed) {
    if (hook?.kind !== 'hook') continue;
    const known = old?.kind === 'hook' ? old.grants.map((grant) => JSON.stringify(grant)) : [];
    for (const grant of hook.grants) {
      if ('group' in grant || known.includes(JSON.stringify(grant))) continue;
      const granted = before.granted(grant.role);
      const cell = cells.findIndex((_, i) => granted[i] === 1 && !held(i));
      if (cell < 0) continue;
      problems.push(`hook ${hook.type} binds ${grant.role}: ${describeCell(cells[cell] as Cell)} is not held`);
    }
  }
  return problems;
}

/** Whether the caller may escalate where a question is about: there, or on the whole tenant. */
function escalations(records: readonly EntityRecord[], step: Step): (cell: number) => boolean {
  const known = new Map<string, boolean>();
  const on = (object: string) => {
    const answer = known.get(object) ?? may(records, step.acting, 'escalate', object, step.now);
    known.set(object, answer);
    return answer;
  };
  return (cell) => on('') || on((cells[cell] as Cell).object);
}

export function describeGain({ subject, cell, at, context }: Gain, now: number): string {
  const when = at === now ? 'now' : `at +${at - now} ms`;
  return `${subject} ${describeCell(cells[cell] as Cell)} ${when} with ${JSON.stringify(contexts[context])}`;
}

function describeCell({ action, object }: Cell): string {
  return `${action} on ${object === '' ? 'the tenant' : object}`;
}
