/** Steps that read the graph through administration. Called by run.ts. */
import { formatScope, parseScope } from '../../src/model/scope.ts';
import { expectList } from './expect-list.ts';
import type { Step } from './format.ts';
import { identityOf, readOf, type World } from './world.ts';

/** Whether the step was one of these. */
export async function read({ administration }: World, step: Step): Promise<boolean> {
  const { roles, groups, members, bindings, registered, change_sets: changeSets } = step;
  if (roles !== undefined) {
    const { name = '', contains = [], object_type = '', system } = roles;
    await expectList(roles, async () => {
      const filter = { name, containsPermissions: contains, objectType: object_type, system };
      const { items } = await administration.listRoles(identityOf(roles.as), readOf(roles), filter);
      return items.map((role) => role.name);
    });
  } else if (groups !== undefined) {
    await expectList(groups, async () => {
      const filter = { name: groups.name ?? '' };
      const { items } = await administration.listGroups(identityOf(groups.as), readOf(groups), filter);
      return items.map(({ group }) => group);
    });
  } else if (members !== undefined) {
    const { group = '', member = '', transitive = false } = members;
    await expectList(members, async () => {
      const filter = { group, member, transitive };
      const { items } = await administration.listMembers(identityOf(members.as), readOf(members), filter);
      return items.map((edge) => [edge.group, edge.member]);
    });
  } else if (bindings !== undefined) {
    const { subject = '', through_groups = false, role = '', object = '', inherited = false, scope = '' } = bindings;
    await expectList(bindings, async () => {
      const filter = { subject, throughGroups: through_groups, role, object, inherited, scope };
      const { items } = await administration.listBindings(identityOf(bindings.as), readOf(bindings), filter);
      return items.map((binding) => {
        const text = formatScope(parseScope(binding.scope));
        return [binding.subject, binding.role, text, ...(binding.effect === 'deny' ? ['deny'] : [])];
      });
    });
  } else if (registered !== undefined) {
    const { type = '', parent = '', object = '' } = registered;
    await expectList(registered, async () => {
      const filter = { type, parent, object };
      const { items } = await administration.listObjects(identityOf(registered.as), readOf(registered), filter);
      return items.map((record) => [record.object, ...(record.parents ?? []).map((edge) => edge.object)]);
    });
  } else if (changeSets !== undefined) {
    const { by = '', subject = '', role = '', object = '' } = changeSets;
    await expectList(changeSets, async () => {
      const filter = { by, subject, role, object };
      const { items } = await administration.listChangeSets(identityOf(changeSets.as), readOf(changeSets), filter);
      return items.map((set) => `${set.by ?? ''}${set.via === undefined ? '' : ` via ${set.via}`}`);
    });
  } else return false;
  return true;
}
