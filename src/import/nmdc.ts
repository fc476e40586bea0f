/**
 * NMDC runtime to a graph: each allowance is a role on endpoints, a document
 * of the allow list is a binding, one of the deny list a binding that denies,
 * and administrators and clients of a site are bound on the site alone. Called
 * by the command line. Nothing is granted to a disabled account or to a name
 * that nobody has; both are listed as left over.
 */
import type { BindingRecord, EntityRecord, RoleRecord } from '../model/entity.ts';
import { toScopeInput } from '../model/scope.ts';
import type { Import, Leftover, Source } from './importer.ts';
import { leftoversInOrder, recordsInOrder } from './in-order.ts';
import { type Allowance, type NmdcSystem, type NmdcUser, parseNmdc } from './nmdc-input.ts';
import { type AllowanceAction, createNmdcRules, runtimeAdminSite } from './nmdc-rules.ts';

const roleOfAllowance: Readonly<Record<AllowanceAction, RoleRecord>> = {
  '/metadata/changesheets:submit': role('changesheet_submitter', [['/metadata/changesheets', 'submit']]),
  '/metadata/json:submit': role('json_submitter', [
    ['/metadata/json', 'submit'],
    ['/workflows/workflow_executions', 'create'],
  ]),
  '/queries:run(query_cmd:DeleteCommand)': role('data_deleter', [
    ['/queries', 'run_delete', 'run_update'],
    ['/workflows/workflow_executions/*', 'delete'],
  ]),
  '/queries:run(query_cmd:AggregateCommand)': role('data_aggregator', [['/queries', 'run_aggregate']]),
  '/wf_file_staging': role('file_stager', [['/wf_file_staging/*', 'stage']]),
  '/admin/allowances': role('allowance_manager', [
    ['/admin/allowances', 'list', 'create', 'delete'],
    ['/admin/allowances/actions', 'list'],
  ]),
  '/admin/site_clients': role('site_client_manager', [['/admin/site_clients/*', 'update']]),
};

const agents = 'group:agents';
const people = 'group:people';
const siteClients = 'group:site-clients';

const fixed: readonly EntityRecord[] = [
  { kind: 'type', name: 'endpoint', description: 'A path of the API. The id begins with a slash.' },
  { kind: 'type', name: 'site', actions: ['generate_credentials', 'put_object', 'get_object_link'] },
  ...Object.values(roleOfAllowance),
  role('agent', [['/queries', 'run_find', 'run_getMore']]),
  role('person', [['/sites', 'create']]),
  role('runtime_admin', [
    ['/users', 'create', 'update'],
    ['/admin/users', 'list'],
    ['/data_objects', 'report'],
  ]),
  role('site_worker', [
    ['/jobs', 'create'],
    ['/jobs/*', 'claim', 'release'],
    ['/pids/*', 'create', 'read', 'update', 'delete'],
  ]),
  { kind: 'role', name: 'site_admin', permissions: ['site:generate_credentials'] },
  { kind: 'role', name: 'site_client', permissions: ['site:put_object', 'site:get_object_link'] },
  { kind: 'group', group: agents, description: 'Every active user and every site client.' },
  { kind: 'group', group: people, description: 'Every active user.' },
  { kind: 'group', group: siteClients, description: 'Every site client.' },
  { kind: 'member', group: agents, member: people },
  { kind: 'member', group: agents, member: siteClients },
  bind(agents, 'agent', 'endpoint:*'),
  bind(people, 'person', 'endpoint:*'),
  bind(siteClients, 'site_worker', 'endpoint:*'),
];

/**
 * Reads the collections users, sites, _runtime.api.allow and _runtime.api.deny: see parseNmdc for their files.
 * @throws PosternError INVALID_REQUEST
 */
export function importNmdc(sources: readonly Source[]): Import {
  const system = parseNmdc(sources);
  const leftovers: Leftover[] = [];
  const records = [
    ...fixed,
    ...system.users.flatMap((user) => recordsOfUser(user, system, leftovers)),
    ...system.sites.flatMap(({ id, clients }) => recordsOfSite(id, clients)),
    ...recordsOfList(system, 'allow', leftovers),
    ...recordsOfList(system, 'deny', leftovers),
  ];
  if (system.allow.length === 0) {
    leftovers.push({
      subject: 'user:admin',
      what: 'all seven allowances',
      why: 'the allow list is empty, so the runtime would give them to "admin" at its next start; bind them by hand if they are wanted',
    });
  }
  return {
    records: recordsInOrder(records),
    rules: createNmdcRules(system),
    leftovers: leftoversInOrder(leftovers),
  };
}

function recordsOfUser(user: NmdcUser, system: NmdcSystem, leftovers: Leftover[]): readonly EntityRecord[] {
  const subject = `user:${user.name}`;
  const sites = new Set(user.siteAdmin);
  if (user.disabled) {
    const allowances = system.allow.filter(({ username }) => username === user.name).length;
    const what = `the account; allowances: ${allowances}, sites to administer: ${sites.size}`;
    const why = 'it is disabled, so the runtime refuses it everything; import again once it is active';
    leftovers.push({ subject, what, why });
    return [];
  }
  const records: EntityRecord[] = [{ kind: 'member', group: people, member: subject }];
  if (sites.has(runtimeAdminSite)) records.push(bind(subject, 'runtime_admin', 'endpoint:*'));
  for (const site of sites) {
    if (system.sites.some(({ id }) => id === site)) records.push(bindOnSite(subject, 'site_admin', site));
    else if (site !== runtimeAdminSite) {
      leftovers.push({
        subject,
        what: `administrator of the site ${JSON.stringify(site)}`,
        why: 'there is no such site',
      });
    }
  }
  return records;
}

function recordsOfSite(site: string, clients: readonly string[]): readonly EntityRecord[] {
  return [
    { kind: 'object', object: `site:${site}` },
    ...clients.flatMap((client): EntityRecord[] => [
      { kind: 'member', group: siteClients, member: `service:${client}` },
      bindOnSite(`service:${client}`, 'site_client', site),
    ]),
  ];
}

function recordsOfList(system: NmdcSystem, list: 'allow' | 'deny', leftovers: Leftover[]): readonly EntityRecord[] {
  const users = new Map(system.users.map((user) => [user.name, user]));
  const clients = new Set(system.sites.flatMap((site) => site.clients));
  const subjectsOf = (name: string) => [
    ...(users.get(name)?.disabled === false ? [`user:${name}`] : []),
    ...(clients.has(name) ? [`service:${name}`] : []),
  ];
  return uniqueAllowances(system[list]).flatMap(({ username, action }) => {
    const what = `${list} ${action}`;
    if (!Object.hasOwn(roleOfAllowance, action)) {
      const why = 'it is not one of the seven actions of the runtime, so nothing asks for it';
      leftovers.push({ subject: `user:${username}`, what, why });
      return [];
    }
    if (!users.has(username) && !clients.has(username)) {
      leftovers.push({ subject: `user:${username}`, what, why: 'no user and no site client has this name' });
      return [];
    }
    const { name } = roleOfAllowance[action as AllowanceAction];
    return subjectsOf(username).map((subject) => bind(subject, name, 'endpoint:*', list));
  });
}

function uniqueAllowances(allowances: readonly Allowance[]): readonly Allowance[] {
  return [...new Map(allowances.map((it) => [JSON.stringify([it.username, it.action]), it])).values()];
}

function role(name: string, privileges: readonly (readonly [string, ...string[]])[]): RoleRecord {
  const permissions = privileges.map(([path, ...actions]) => ({ objects: `endpoint:${path}`, actions }));
  return { kind: 'role', name, permissions };
}

function bind(subject: string, role: string, scope: string, effect: 'allow' | 'deny' = 'allow'): BindingRecord {
  const allow: BindingRecord = { kind: 'binding', subject, role, scope };
  return effect === 'allow' ? allow : { ...allow, effect };
}

/** A site's id may hold a star; as plain text that would be a pattern. */
function bindOnSite(subject: string, role: string, site: string): BindingRecord {
  const scope = toScopeInput({ kind: 'object', object: `site:${site}` });
  return { kind: 'binding', subject, role, scope };
}
