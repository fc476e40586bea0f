/**
 * One decision as JSON; docs/decision-log.md describes the keys. The
 * writer calls it off the request path, once per record. It must never emit a
 * raw newline, and never trust an id to be free of quotes.
 *
 * Lines are concatenated by hand from pieces that are cached where they repeat
 * (time, revision, caller): 0.5 us a record where JSON.stringify takes 0.8.
 */
import { type ChangeEntry, encodeChange } from './change-entry.ts';
import { type Content, plainContent } from './content/content.ts';
import { type DecidingPath, toWrittenPath } from './content/deciding-path.ts';
import type { DecisionEntry } from './log.ts';
import { quoted } from './quoted.ts';

/** Encodes the records of one tenant of one instance: texts without the brace that ends them, as the chain takes them. */
export interface Encoder {
  decision(entry: DecisionEntry, seq: number): string;
  change(entry: ChangeEntry, seq: number): string;
}

/** @param content What is masked, and what was sampled. */
export function createEncoder(instance: string, tenant: string, content: Content = plainContent): Encoder {
  const afterId = `","instance":${quoted(instance)},"seq":`;
  const afterTime = `","tenant":${quoted(tenant)}`;
  const formatTime = createTimeFormatter();
  const formatContext = createContextFormatter();

  const format = (entry: DecisionEntry, seq: number): string => {
    let line = `{"id":"${entry.id}${afterId}${seq},"time":"${formatTime(entry.time)}${afterTime}`;
    if (entry.subject !== '') line += `,"subject":${quoted(entry.subject)}`;
    line += `,"action":${quoted(entry.action)}`;
    if (entry.object !== '') line += `,"object":${quoted(entry.object)}`;
    line += entry.allowed ? ',"allowed":true' : ',"allowed":false';
    if (entry.enforcedAllowed !== entry.allowed) line += `,"enforced_allowed":${entry.enforcedAllowed}`;
    line += `,"reason":"${entry.reason}"`;
    if (entry.binding !== '') line += `,"binding":${entry.binding}`;
    line += formatContext(entry);
    if (entry.traceId !== '') line += `,"trace_id":${quoted(entry.traceId)}`;
    if (entry.reach !== 'inherited') line += `,"reach":"${entry.reach}"`;
    if (entry.attributes !== undefined) line += `,"attributes":${JSON.stringify(entry.attributes)}`;
    if (entry.assertedGroups !== undefined) line += `,"asserted_groups":${JSON.stringify(entry.assertedGroups)}`;
    if (entry.activeRoles !== undefined) line += `,"active_roles":${JSON.stringify(entry.activeRoles)}`;
    if (entry.results >= 0) line += `,"results":${entry.results}`;
    if (entry.dataAgeMs !== 0) line += `,"data_age_ms":${entry.dataAgeMs}`;
    if (entry.path !== undefined) line += formatPath(entry.path);
    return line;
  };
  const { mask, rateOf } = content;
  const change = (entry: ChangeEntry, seq: number) => encodeChange(entry, seq, instance);
  if (mask === undefined && rateOf === undefined) return { decision: format, change };

  return {
    decision(entry, seq) {
      const shown = mask?.(entry);
      let line = format(shown === undefined ? entry : shown.entry, seq);
      if (rateOf !== undefined) line += formatRate(rateOf(entry));
      if (shown === undefined) return line;
      if (shown.masked.length > 0) line += `,"masked":${JSON.stringify(shown.masked)}`;
      return shown.path === '' ? line : `${line},"path":${shown.path}`;
    },
    change,
  };
}

function formatRate(rate: number): string {
  return rate < 1 ? `,"sample_rate":${rate}` : '';
}

function formatPath(path: DecidingPath): string {
  const found = path.resolve();
  return found === undefined ? '' : `,"path":${JSON.stringify(toWrittenPath(found))}`;
}

/** RFC 3339 in UTC with milliseconds. Decisions come many to a millisecond, so the last text is kept. */
export function createTimeFormatter(): (ms: number) => string {
  let lastMs = Number.NaN;
  let lastText = '';
  return (ms) => {
    if (ms !== lastMs) {
      lastText = new Date(ms).toISOString();
      lastMs = ms;
    }
    return lastText;
  };
}

/** What hardly changes from one record of a tenant to the next. */
function createContextFormatter(): (entry: DecisionEntry) => string {
  let last: DecisionEntry | undefined;
  let text = '';
  return (entry) => {
    if (last === undefined || !sameContext(last, entry)) {
      text = `,"revision":${quoted(entry.revision)},"mode":"${entry.mode}","source":"${entry.source}"`;
      if (entry.caller !== '') text += `,"caller":${quoted(entry.caller)}`;
      last = entry;
    }
    return text;
  };
}

function sameContext(a: DecisionEntry, b: DecisionEntry): boolean {
  return a.revision === b.revision && a.mode === b.mode && a.source === b.source && a.caller === b.caller;
}
