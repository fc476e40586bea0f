/**
 * How the NMDC runtime itself decides, operation by operation: an exact
 * document in the allow list and none in the deny list, with no way past them
 * for administrators. Called by nmdc.ts; compared with the imported graph, so
 * it must never look at the records.
 */
import { idOf, typeOf } from '../model/names.ts';
import type { OldQuestion, OldRules } from './importer.ts';
import { textsInOrder } from './in-order.ts';
import type { Allowance, NmdcSystem } from './nmdc-input.ts';

/** The site whose administrators administer the runtime's users. */
export const runtimeAdminSite = 'nmdc-runtime-useradmin';

export const allowanceActions = [
  '/metadata/changesheets:submit',
  '/queries:run(query_cmd:DeleteCommand)',
  '/queries:run(query_cmd:AggregateCommand)',
  '/metadata/json:submit',
  '/wf_file_staging',
  '/admin/allowances',
  '/admin/site_clients',
] as const;
export type AllowanceAction = (typeof allowanceActions)[number];

type Needs =
  | { readonly allowance: AllowanceAction }
  | 'an active account'
  | 'an active user'
  | 'a runtime administrator'
  | 'a site client';

interface Operation {
  /** Path of the endpoint, with {} for what varies. */
  readonly path: string;
  readonly actions: readonly string[];
  readonly needs: Needs;
}

const operations: readonly Operation[] = [
  { path: '/metadata/changesheets', actions: ['submit'], needs: { allowance: '/metadata/changesheets:submit' } },
  {
    path: '/queries',
    actions: ['run_delete', 'run_update'],
    needs: { allowance: '/queries:run(query_cmd:DeleteCommand)' },
  },
  {
    path: '/workflows/workflow_executions/{id}',
    actions: ['delete'],
    needs: { allowance: '/queries:run(query_cmd:DeleteCommand)' },
  },
  { path: '/queries', actions: ['run_aggregate'], needs: { allowance: '/queries:run(query_cmd:AggregateCommand)' } },
  { path: '/queries', actions: ['run_find', 'run_getMore'], needs: 'an active account' },
  { path: '/metadata/json', actions: ['submit'], needs: { allowance: '/metadata/json:submit' } },
  { path: '/workflows/workflow_executions', actions: ['create'], needs: { allowance: '/metadata/json:submit' } },
  { path: '/wf_file_staging/{path}', actions: ['stage'], needs: { allowance: '/wf_file_staging' } },
  { path: '/admin/allowances', actions: ['list', 'create', 'delete'], needs: { allowance: '/admin/allowances' } },
  { path: '/admin/allowances/actions', actions: ['list'], needs: { allowance: '/admin/allowances' } },
  { path: '/admin/site_clients/{id}', actions: ['update'], needs: { allowance: '/admin/site_clients' } },
  { path: '/users', actions: ['create', 'update'], needs: 'a runtime administrator' },
  { path: '/admin/users', actions: ['list'], needs: 'a runtime administrator' },
  { path: '/data_objects', actions: ['report'], needs: 'a runtime administrator' },
  { path: '/sites', actions: ['create'], needs: 'an active user' },
  { path: '/jobs', actions: ['create'], needs: 'a site client' },
  { path: '/jobs/{id}', actions: ['claim', 'release'], needs: 'a site client' },
  { path: '/pids/{id}', actions: ['create', 'read', 'update', 'delete'], needs: 'a site client' },
];

const siteActions = ['generate_credentials', 'put_object', 'get_object_link'];

export function createNmdcRules(system: NmdcSystem): OldRules {
  const users = new Map(system.users.map((user) => [user.name, user]));
  const siteOfClient = new Map(system.sites.flatMap(({ id, clients }) => clients.map((client) => [client, id])));
  const sites = new Set(system.sites.map(({ id }) => id));
  const allowed = createLookup(system.allow);
  const denied = createLookup(system.deny);
  const needs = new Map<string, Map<string, Needs>>();
  for (const operation of operations) {
    const object = `endpoint:${operation.path}`;
    const ofObject = needs.get(object) ?? new Map<string, Needs>();
    for (const action of operation.actions) ofObject.set(action, operation.needs);
    needs.set(object, ofObject);
  }

  const isActive = (subject: string) => {
    if (typeOf(subject) === 'service') return siteOfClient.has(idOf(subject));
    return typeOf(subject) === 'user' && users.get(idOf(subject))?.disabled === false;
  };

  function allowsOnSite(subject: string, action: string, site: string): boolean {
    if (!sites.has(site)) return false;
    if (action === 'generate_credentials') {
      return typeOf(subject) === 'user' && (users.get(idOf(subject))?.siteAdmin.includes(site) ?? false);
    }
    const forClients = action === 'put_object' || action === 'get_object_link';
    return forClients && typeOf(subject) === 'service' && siteOfClient.get(idOf(subject)) === site;
  }

  function meets(subject: string, need: Needs): boolean {
    const name = idOf(subject);
    if (typeof need !== 'string') return allowed(name, need.allowance) && !denied(name, need.allowance);
    if (need === 'an active account') return true;
    if (need === 'a site client') return typeOf(subject) === 'service';
    if (typeOf(subject) !== 'user') return false;
    return need === 'an active user' || (users.get(name)?.siteAdmin.includes(runtimeAdminSite) ?? false);
  }

  return {
    subjects: textsInOrder([
      ...[...users.keys()].map((name) => `user:${name}`),
      ...[...siteOfClient.keys()].map((client) => `service:${client}`),
    ]),
    questions: [
      ...operations.flatMap(({ path, actions }) => actions.map((action) => ({ action, object: `endpoint:${path}` }))),
      ...textsInOrder(sites).flatMap((site) => siteActions.map((action) => ({ action, object: `site:${site}` }))),
    ],
    allows(subject: string, { action, object }: OldQuestion): boolean {
      if (!isActive(subject)) return false;
      if (typeOf(object) === 'site') return allowsOnSite(subject, action, idOf(object));
      const need = needs.get(object)?.get(action);
      return need !== undefined && meets(subject, need);
    },
  };
}

function createLookup(allowances: readonly Allowance[]): (username: string, action: string) => boolean {
  const byName = Map.groupBy(allowances, ({ username }) => username);
  const actions = new Map([...byName].map(([name, all]) => [name, new Set(all.map(({ action }) => action))]));
  return (username, action) => actions.get(username)?.has(action) ?? false;
}
