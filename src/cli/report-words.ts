/**
 * What a verification found, in lines for people: each chain, each problem, and plainly what a verification cannot
 * show. Pure text; called by `postern audit`.
 */
import type { ChainReport, Problem, Report } from '../decision-log/verify/report.ts';
import { type Colours, count, visible } from './output.ts';

/** More are counted only. */
const shownProblems = 20;
const shownNotes = 10;

export function describeReport(report: Report, colours: Colours, hasKey: boolean): readonly string[] {
  const { chains, problems, problemCount, notes } = report;
  const more = problemCount - Math.min(problems.length, shownProblems);
  return [
    ...chains.flatMap((chain) => describeChain(chain, colours)),
    ...notes.slice(0, shownNotes).map(({ where, note }) => colours.dim(visible(`note: ${where}: ${note}`))),
    ...problems.slice(0, shownProblems).flatMap((problem) => describeProblem(problem, colours)),
    ...(more > 0 ? [colours.dim(`... and ${more} more`)] : []),
    ...limitsOf(chains, hasKey).map((limit) => colours.dim(visible(limit))),
    verdict(report, colours),
  ];
}

function describeChain(chain: ChainReport, { bold, dim, red, yellow }: Colours): readonly string[] {
  const { tenant, instance, lines, firstSeq, lastSeq, firstTime, lastTime, problems, lastHash } = chain;
  const numbers = firstSeq === 0 ? 'no numbers' : `${firstSeq} to ${lastSeq}`;
  const state = problems === 0 ? '' : `  ${red(count(problems, 'problem'))}`;
  const lost = lossesOf(chain);
  const end = lastHash === '' ? '' : `, hash ${lastHash}`;
  return [
    `${bold(visible(`${tenant} ${instance}`))}  ${count(lines, 'line')}, ${numbers}, ${firstTime} to ${lastTime}${state}`,
    dim(visible(`  ${[beginOf(chain), endOf(chain), sealsOf(chain)].join('; ')}`)),
    ...(lost === '' ? [] : [yellow(visible(`  ${lost}`))]),
    ...keptOf(chain).map((line) => dim(visible(`  ${line}`))),
    dim(visible(`  ends at number ${lastSeq}${end}`)),
  ];
}

function beginOf({ begins, firstSeq, previousHash, chained }: ChainReport): string {
  if (begins === 'start') return chained ? 'begins with its start' : 'begins with number 1';
  return previousHash === undefined
    ? `begins in the middle: what stood before number ${firstSeq} is not here, and the first line cannot be held against it`
    : 'begins in the middle, and follows from the line before';
}

function endOf({ ends, chained }: ChainReport): string {
  if (ends === 'stop') return 'ends in order';
  if (ends === 'range') return 'goes on behind the range';
  return chained ? 'has no stop: the process still runs, or has died' : 'has no hashes';
}

function sealsOf({ chained, seals, signers, lastSeal, unsealedLines }: ChainReport): string {
  if (!chained) return 'changes within a line cannot be seen';
  if (lastSeal === undefined) return 'no seal';
  const signed = signers.map(
    ({ key, seals: made, isChecked }) => `${made} signed by ${key} (${isChecked ? 'checked' : 'not checked'})`,
  );
  const words = signed.length === 0 ? 'none signed' : signed.join(', ');
  const behind = unsealedLines === 0 ? '' : `, ${count(unsealedLines, 'line')} behind it`;
  return `${count(seals, 'seal')}, ${words}, the last at number ${lastSeal.seq} of ${lastSeal.time}${behind}`;
}

/** What is missing, and told to be; starts that were no first ones. */
function lossesOf({ gaps, crashes, lostMs, unboundedCrashes, anew, repeats }: ChainReport): string {
  const bounded = crashes - unboundedCrashes;
  return [
    ...Object.entries(gaps).map(([cause, missing]) => `${missing} missing by ${cause}, and told`),
    ...(bounded === 0 ? [] : [`${crashesOf(bounded)}, which may have cost what was decided in ${lostMs} ms`]),
    ...(unboundedCrashes === 0 ? [] : [`${crashesOf(unboundedCrashes)}, of which nobody knows how much was lost`]),
    ...(anew === 0 ? [] : [`begun anew ${anew === 1 ? 'once' : `${anew} times`} under the same name`]),
    ...(repeats === 0 ? [] : [`${count(repeats, 'line')} stand here again, and are the same`]),
  ].join('; ');
}

function crashesOf(crashes: number): string {
  return crashes === 1 ? '1 crash' : `${crashes} crashes`;
}

/** What a process left out or masked by configuration. */
function keptOf({ logs }: ChainReport): readonly string[] {
  return logs
    .filter(({ filter, sample, mask }) => filter !== undefined || sample !== undefined || mask !== undefined)
    .map((log) => `not all is recorded as it was: ${JSON.stringify(log)}`);
}

export function describeProblem(problem: Problem, { red, dim }: Colours): readonly string[] {
  const { kind, tenant, instance, seq, id, where, found, meaning } = problem;
  const who = [
    ...(tenant === '' ? [] : [`tenant ${tenant}`]),
    ...(instance === '' ? [] : [`instance ${instance}`]),
    ...(seq === 0 ? [] : [`number ${seq}`]),
    ...(id === '' ? [] : [`id ${id}`]),
  ];
  const record = who.length === 0 ? '' : `${who.join(', ')}: `;
  return [`${red(kind.replace('_', ' '))} ${visible(`${where}: ${record}${found}`)}`, dim(visible(`  ${meaning}`))];
}

/** What nobody can tell from the lines alone. */
function limitsOf(chains: readonly ChainReport[], hasKey: boolean): readonly string[] {
  const chained = chains.filter(({ chained }) => chained);
  const open = chained.filter(({ ends }) => ends === 'open');
  const isSigned = chained.some(({ signers }) => signers.length > 0);
  const [first] = open;
  return [
    ...(first === undefined
      ? []
      : [
          `not shown: whether lines were cut off behind the last ones of ${count(open.length, 'chain')} without a stop; keep the hashes above, and give them next time: --expect-last ${first.lastHash}`,
        ]),
    ...(chained.length === 0 || hasKey
      ? []
      : [
          isSigned
            ? 'not shown: who made these lines; name the key that signed their seals with --public-key'
            : 'not shown: who made these lines; no seal is signed, and whoever can write the log can make all of it anew',
        ]),
  ];
}

function verdict({ ok, chains, lines, problemCount }: Report, { green, red }: Colours): string {
  const what = `${count(chains.length, 'chain')}, ${count(lines, 'line')} read`;
  if (ok) return green(`in order: ${what}`);
  if (chains.length === 0 && problemCount === 0) return red('nothing to verify: no record is there, in this range');
  return red(`not in order: ${count(problemCount, 'problem')} in ${what}; the first is the one to begin with`);
}
