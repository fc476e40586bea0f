/**
 * The systems that `postern import` knows: what each is, the options that it
 * alone has, and the importer that is loaded when it is asked for. To add a
 * system, add an entry. Nothing here reads files.
 */
import type { Import, Source } from '../import/importer.ts';
import { PosternError } from '../model/errors.ts';

export interface SourceOption {
  /** As commander takes it: "--levels <how>". */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** Whether the value is a file, of which the importer gets the text. */
  readonly isFile?: true;
  /** Whether it may be given several times; the value is a list of texts. */
  readonly isList?: true;
}

/** Values of a source's options by attribute name ("rolePerPermission"); those of files are a Source. */
export type SourceOptions = Readonly<Record<string, unknown>>;

export interface ImportSource {
  readonly name: string;
  /** What its files are. */
  readonly description: string;
  readonly options: readonly SourceOption[];
  /** The importer throws PosternError INVALID_REQUEST for bad input, INVALID_OPTION for a bad option. */
  readonly load: () => Promise<(sources: readonly Source[], options: SourceOptions) => Import>;
}

export const importSources: readonly ImportSource[] = [
  {
    name: 'guardian',
    description: 'permissions of Django guardian or Pulp: the JSON of dump-permissions',
    options: [
      { flags: '--roles <file>', description: 'roles to match, first ones first: a policy, or JSON', isFile: true },
      {
        flags: '--levels <how>',
        description: 'combined: a permission on a model was one on each of its objects',
        choices: ['separate', 'combined'],
      },
      { flags: '--role-per-permission', description: 'make a role of each permission that no role takes' },
    ],
    load: async () => (await import('../import/guardian.ts')).importGuardian,
  },
  {
    name: 'nmdc',
    description: 'NMDC runtime: allow and deny lists, users, sites, as JSON',
    options: [],
    load: async () => (await import('../import/nmdc.ts')).importNmdc,
  },
  {
    name: 'keycloak',
    description: 'Keycloak: the JSON of a realm, exported with its users',
    options: [
      {
        flags: '--group-role <role=group>',
        description: 'a group of all who have this realm role; repeatable',
        isList: true,
      },
    ],
    load: async () => {
      const { importKeycloak } = await import('../import/keycloak.ts');
      return (sources, { groupRole }) => importKeycloak(sources, { groupRoles: toPairs('--group-role', groupRole) });
    },
  },
  {
    name: 'deis',
    description: 'Deis: users, apps and their collaborators, as JSON',
    options: [],
    load: async () => (await import('../import/deis.ts')).importDeis,
  },
  {
    name: 'casbin',
    description: 'casbin: model.conf and policy.csv',
    options: [
      { flags: '--domain <name>', description: 'the domain to import, where the model has domains' },
      { flags: '--object-type <type>', description: 'the type that all objects get: object' },
    ],
    load: async () => (await import('../import/casbin.ts')).importCasbin,
  },
];

/** "a=b" texts; a name may hold further equals signs on the right. @throws PosternError INVALID_OPTION */
function toPairs(flag: string, texts: unknown): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const text of (texts ?? []) as readonly string[]) {
    const equals = text.indexOf('=');
    if (equals <= 0 || equals === text.length - 1 || pairs.has(text.slice(0, equals))) {
      throw new PosternError('INVALID_OPTION', `${flag} "${text}" is not role=group, or its role is there twice`, {
        field: flag,
      });
    }
    pairs.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return pairs;
}
