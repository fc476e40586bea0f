/**
 * The policy lines of casbin's CSV, for one domain, in the columns that the
 * model names. Called by casbin.ts. A line that the model does not foresee is
 * refused with its number.
 */
import { quote } from '../model/names.ts';
import type { CasbinModel } from './casbin-model.ts';
import type { Source } from './importer.ts';
import { invalid } from './input.ts';

export interface PolicyLine {
  readonly sub: string;
  readonly obj: string;
  readonly act: string;
  /** "allow", "deny", or what has no effect. */
  readonly effect: string;
  /** The line as one text, for people. */
  readonly text: string;
}

/** One line of g or g2: the first has what the second has. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

export interface CasbinPolicy {
  readonly lines: readonly PolicyLine[];
  readonly roles: readonly Link[];
  readonly resourceRoles: readonly Link[];
}

/** @throws PosternError INVALID_REQUEST, naming the line */
export function parseCasbinPolicy(
  sources: readonly Source[],
  model: CasbinModel,
  domain: string | undefined,
): CasbinPolicy {
  if (domain !== undefined && !model.hasDomains)
    throw invalid('--domain', 'is for models with domains; this one has none');
  const lines: PolicyLine[] = [];
  const roles: Link[] = [];
  const resourceRoles: Link[] = [];
  const domains = new Set<string>();
  const isElsewhere = (of: string | undefined) => {
    if (of !== undefined) domains.add(of);
    return of !== undefined && of !== domain;
  };
  for (const { kind, fields, place, text } of sources.flatMap(readLines)) {
    const need = (n: number) => {
      if (fields.length !== n) throw invalid(place, `has ${fields.length} values behind ${kind}; the model says ${n}`);
    };
    if (kind === 'p') {
      need(3 + (model.hasDomains ? 1 : 0) + (model.hasEffect ? 1 : 0));
      const [sub = '', ...rest] = fields;
      const of = model.hasDomains ? rest.shift() : undefined;
      const [obj = '', act = '', effect = 'allow'] = rest;
      if (!isElsewhere(of)) lines.push({ sub, obj, act, effect, text });
    } else if (kind === 'g' && model.hasRoles) {
      need(model.hasDomains ? 3 : 2);
      const [from = '', to = '', of] = fields;
      if (!isElsewhere(of) && from !== to) roles.push({ from, to, text });
    } else if (kind === 'g2' && model.objects === 'resource roles') {
      need(2);
      const [from = '', to = ''] = fields;
      if (from !== to) resourceRoles.push({ from, to, text });
    } else throw invalid(place, `begins with ${quote(kind)}, which the model does not define`);
  }
  if (model.hasDomains && (domain === undefined || !domains.has(domain))) {
    const there = domains.size === 0 ? 'there is none' : `there are ${[...domains].sort().join(', ')}`;
    throw invalid('--domain', `must name one domain, which becomes a tenant; ${there}`);
  }
  refuseCycle(roles);
  refuseCycle(resourceRoles);
  return { lines, roles, resourceRoles };
}

function readLines({ name, text }: Source) {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const place = `${name}: line ${i + 1}`;
    const [kind = '', ...fields] = splitCsv(trimmed, place);
    if (fields.includes('')) throw invalid(place, 'has an empty value');
    return [{ kind, fields, place, text: [kind, ...fields].join(', ') }];
  });
}

const csvField = /\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)/y;

function splitCsv(line: string, place: string): string[] {
  const fields: string[] = [];
  csvField.lastIndex = 0;
  for (let end = false; !end; ) {
    const found = csvField.exec(line);
    if (found === null) throw invalid(place, 'has a quote that does not close, or stands inside a value');
    fields.push(found[1] === undefined ? (found[2] as string).trim() : found[1].replaceAll('""', '"'));
    end = found[3] === '';
  }
  return fields;
}

/** casbin walks cycles until it has enough; a graph has none. */
function refuseCycle(links: readonly Link[]): void {
  const above = Map.groupBy(links, ({ from }) => from);
  const done = new Set<string>();
  for (const start of above.keys()) {
    const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const open = new Set([start]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const link = done.has(top.name) ? undefined : above.get(top.name)?.[top.next++];
      if (link === undefined) {
        done.add(top.name);
        open.delete(top.name);
        path.pop();
      } else if (open.has(link.to)) {
        throw invalid(quote(link.text), 'closes a cycle; take out one of its lines');
      } else {
        open.add(link.to);
        path.push({ name: link.to, next: 0 });
      }
    }
  }
}
