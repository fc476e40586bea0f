/**
 * What an importer gives: the graph that replaces an old system's rules, and
 * those rules in a form that can be asked, so that the two can be compared
 * question by question (compare.ts). Importers are pure: they take parsed or
 * textual input and never read files, which is the CLI's affair.
 */
import type { EntityRecord } from '../model/entity.ts';

/** One question that the old system could answer. An empty object asks about the tenant. */
export interface OldQuestion {
  readonly action: string;
  readonly object: string;
}

/** The rules of the old system, as it would have decided. */
export interface OldRules {
  /** Everyone whom the old system knows, as "user:alice" or "service:x"; sorted. */
  readonly subjects: readonly string[];
  /** Everything that the old system could be asked about a subject. */
  readonly questions: readonly OldQuestion[];
  allows(subject: string, question: OldQuestion): boolean;
}

/** Something of the old system that has no place in the graph, and is therefore not granted by it. */
export interface Leftover {
  /** Whose it was; empty where it is nobody's in particular. */
  readonly subject: string;
  /** What it was, in the old system's words. */
  readonly what: string;
  readonly why: string;
}

export interface Import {
  /** A valid graph (graph/validate.ts), in a stable order: the same input gives the same records. */
  readonly records: readonly EntityRecord[];
  readonly rules: OldRules;
  readonly leftovers: readonly Leftover[];
}

/** One document handed to an importer. */
export interface Source {
  /** As the user named it, for messages. */
  readonly name: string;
  readonly text: string;
}
