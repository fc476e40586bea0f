// What a question that activates some roles is told: by Check, by Explain, by the lists, and by the record that it leaves.
import { afterEach, describe, expect, it } from 'vitest';
import { finish } from '../../src/engine/steps.ts';
import type { EntityRecord, Mode } from '../../src/model/entity.ts';
import { maxActiveRoles } from '../../src/model/limits.ts';
import { bound, call, catching, type PdpHarness, query, startPdp } from './harness.ts';

const role = (name: string, permissions: string[], includes: string[] = []): EntityRecord => ({
  kind: 'role',
  name,
  permissions,
  ...(includes.length === 0 ? {} : { includes }),
});

const shop: readonly EntityRecord[] = [
  role('viewer', ['order:read']),
  role('cashier', ['order:pay'], ['viewer']),
  role('auditor', ['order:a*'], ['viewer']),
  role('manager', ['order:close'], ['cashier', 'auditor']),
  { kind: 'constraint', name: 'payments', roles: ['auditor', 'cashier'], dynamic: true },
  { kind: 'constraint', name: 'static', roles: ['manager', 'viewer'] },
  bound('user:meg', '*', 'manager'),
  bound('user:vic', '*', 'viewer'),
  { kind: 'object', object: 'order:1' },
];

let running: PdpHarness | undefined;
afterEach(() => running?.close());

async function startShop(mode: Mode = 'enforce', ...more: readonly EntityRecord[]) {
  running = await startPdp(['default']);
  await running.commit('default', [...shop, { kind: 'settings', mode }, ...more]);
  return running;
}

const asMeg = (action: string, ...activeRoles: string[]) => query('user:meg', action, 'order:1', { activeRoles });

describe('active roles', () => {
  it.each([
    { action: 'pay', active: [], reason: 'ALLOWED' },
    { action: 'pay', active: ['cashier'], reason: 'ALLOWED' },
    { action: 'read', active: ['cashier'], reason: 'ALLOWED' },
    { action: 'pay', active: ['viewer'], reason: 'ROLE_LACKS_PERMISSION' },
    { action: 'close', active: ['cashier', 'viewer'], reason: 'ROLE_LACKS_PERMISSION' },
    { action: 'read', active: ['nobody has this'], reason: 'ROLE_LACKS_PERMISSION' },
    { action: 'read', active: ['nobody has this', 'viewer'], reason: 'ALLOWED' },
  ])('$active: $action is $reason', async ({ action, active, reason }) => {
    const { view } = await startShop();
    expect(view().check(asMeg(action, ...active), call).reason).toBe(reason);
  });

  it('cannot be more than the subject holds', async () => {
    const { view } = await startShop();
    const asked = query('user:vic', 'pay', 'order:1', { activeRoles: ['cashier'] });
    expect(view().check(asked, call)).toMatchObject({
      allowed: false,
      reason: 'ROLE_LACKS_PERMISSION',
      binding: '["user:vic","viewer","*","allow"]',
    });
  });

  it('do not weaken a denial', async () => {
    const { view } = await startShop('enforce', {
      kind: 'binding',
      subject: 'user:meg',
      role: 'cashier',
      scope: 'order:1',
      effect: 'deny',
    });
    expect(view().check(asMeg('read', 'auditor'), call).reason).toBe('EXPLICIT_DENY');
  });

  it('are on the path of an explanation, from the bound role to the permission', async () => {
    const { view } = await startShop();
    expect(view().explain(asMeg('read', 'auditor'), call).path).toMatchObject({
      roles: ['manager', 'auditor', 'viewer'],
      permission: 'order:read',
    });
    expect(view().explain(asMeg('pay', 'auditor'), call).path).toMatchObject({ roles: ['manager'], permission: '' });
  });

  it('bound the lists too', async () => {
    const { view } = await startShop();
    const asked = { subject: 'user:meg', reach: 'inherited' as const, assertedGroups: [], activeRoles: ['auditor'] };
    const listed = finish(view().listActions({ ...asked, object: 'order:1' }, call));
    expect(listed).toMatchObject({ actions: ['read'], patterns: ['a*'] });
    const objects = (action: string) => {
      const { parts, scopes } = finish(view().listObjects({ ...asked, action }, 'order', { size: 0, token: '' }, call));
      return [parts.next().value, scopes];
    };
    expect([objects('approve'), objects('pay')]).toEqual([
      [['order:1'], ['*']],
      [[], []],
    ]);
  });

  it('make another question of a list, so that a page token of one does not go on with the other', async () => {
    const { view } = await startShop('enforce', { kind: 'object', object: 'order:2' });
    const asked = { subject: 'user:meg', action: 'read', reach: 'inherited' as const, assertedGroups: [] };
    const { parts } = finish(view().listObjects(asked, 'order', { size: 1, token: '' }, call));
    parts.next();
    const token = String(parts.next().value);
    const other = { ...asked, activeRoles: ['viewer'] };
    expect(catching(() => finish(view().listObjects(other, 'order', { size: 1, token }, call)))).toMatchObject({
      code: 'INVALID_PAGE_TOKEN',
    });
  });

  it('are recorded where there are any', async () => {
    const { view, log } = await startShop();
    view().check(asMeg('pay', 'cashier'), call);
    view().check(asMeg('pay'), call);
    finish(view().listActions({ ...asMeg('', 'viewer') }, call));
    expect(log.map(({ activeRoles }) => activeRoles)).toEqual([['cashier'], undefined, ['viewer']]);
  });

  it.each([
    { active: ['viewer', ''], code: 'INVALID_CONTEXT', field: 'context.active_roles[1]' },
    { active: ['a\nb'], code: 'INVALID_CONTEXT', field: 'context.active_roles[0]' },
    { active: Array(maxActiveRoles + 1).fill('viewer'), code: 'LIMIT_EXCEEDED', field: 'context.active_roles' },
  ])('that are malformed are an error that names the field: $field', async ({ active, code, field }) => {
    const { view, log } = await startShop();
    const asked = asMeg('read', ...active);
    const named = (prefix: string) => ({ code, metadata: { field: `${prefix}${field}` } });
    expect(catching(() => view().check(asked, call, 'checks[3].'))).toMatchObject(named('checks[3].'));
    expect(catching(() => view().explain(asked, call))).toMatchObject(named('check.'));
    expect(catching(() => finish(view().listActions(asked, call)))).toMatchObject(named(''));
    expect(catching(() => finish(view().listObjects(asked, 'order', { size: 0, token: '' }, call)))).toMatchObject(
      named(''),
    );
    expect(log).toEqual([]);
  });
});

describe('a dynamic constraint', () => {
  const page = { size: 0, token: '' };

  it.each<Mode>(['enforce', 'shadow'])('refuses roles that it keeps apart, in mode %s', async (mode) => {
    const { view, log } = await startShop(mode);
    const asked = asMeg('read', 'cashier', 'auditor');
    const conflict = (prefix: string) => ({
      code: 'ROLES_CONFLICT',
      message: expect.stringMatching(/"auditor", "cashier".*constraint "payments"/),
      metadata: { field: `${prefix}context.active_roles`, constraint: 'payments', roles: '["auditor","cashier"]' },
    });
    expect(catching(() => view().check(asked, call, 'checks[3].'))).toMatchObject(conflict('checks[3].'));
    expect(catching(() => view().explain(asked, call))).toMatchObject(conflict('check.'));
    expect(catching(() => finish(view().listActions(asked, call)))).toMatchObject(conflict(''));
    expect(catching(() => finish(view().listObjects(asked, 'order', page, call)))).toMatchObject(conflict(''));
    expect(log).toEqual([]);
  });

  it('counts what the active roles include, and what nobody holds', async () => {
    const { view } = await startShop();
    for (const asked of [asMeg('read', 'manager'), query('user:x', 'read', '', { activeRoles: ['manager'] })]) {
      expect(catching(() => view().check(asked, call))).toMatchObject({ code: 'ROLES_CONFLICT' });
    }
  });

  it('is not looked at in mode off, nor where all roles are active', async () => {
    const { view } = await startShop();
    expect(view().check(asMeg('pay'), call).allowed).toBe(true);
    await running?.commit('default', [{ kind: 'settings', mode: 'off' }]);
    const asked = asMeg('read', 'cashier', 'auditor');
    expect(view().check(asked, call).reason).toBe('ENFORCEMENT_OFF');
    expect(finish(view().listActions(asked, call)).patterns).toEqual(['*']);
    expect(finish(view().listObjects(asked, 'order', page, call)).scopes).toEqual(['*']);
  });

  it('allows fewer than its cardinality, and ends when it is deleted', async () => {
    const three: EntityRecord = {
      kind: 'constraint',
      name: 'payments',
      roles: ['auditor', 'cashier', 'viewer'],
      cardinality: 3,
      dynamic: true,
    };
    const { view, commit } = await startShop('enforce', three);
    const reasonOf = (...active: string[]) => {
      try {
        return view().check(asMeg('read', ...active), call).reason;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    // Both include viewer, so two of them are three.
    expect([reasonOf('auditor'), reasonOf('auditor', 'cashier')]).toEqual(['ALLOWED', 'ROLES_CONFLICT']);
    await commit('default', [], [{ op: 'delete', kind: 'constraint', key: 'payments' }]);
    expect(reasonOf('auditor', 'cashier')).toBe('ALLOWED');
  });
});
