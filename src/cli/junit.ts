/** Results of policy tests as JUnit XML, which every CI system reads. Called by `postern test`. */
import junit, { type Builder } from 'junit-report-builder';
import { formatProblems } from '../policy-file/format-problems.ts';
import type { FileResult } from './policy-tests.ts';

// The package's types describe another export than the module has.
const root = junit as unknown as Builder;

/** A suite for each file, a case for each test; an invalid file is one case with an error. */
export function formatJunit(results: readonly FileResult[]): string {
  const builder = root.newBuilder().name('postern test');
  for (const { file, tests, rejected } of results) {
    const suite = builder.testSuite().name(clean(file));
    suite.time(tests.reduce((total, test) => total + test.tookMs, 0) / 1000);
    if (rejected !== undefined) {
      const problem = suite.testCase().className(clean(file)).name('is valid').file(clean(file));
      problem.error('the file, or its policy, is invalid', 'invalid', clean(formatProblems(rejected)));
    }
    for (const { name, failures, tookMs, line } of tests) {
      const testCase = suite.testCase().className(clean(file)).name(clean(name)).file(clean(file));
      testCase.time(tookMs / 1000);
      if (failures.length === 0) continue;
      const texts = failures.map((failure) =>
        [`${file}:${failure.line}:${failure.column}: ${failure.message}`, ...failure.explanation].join('\n  '),
      );
      testCase.failure(clean(failures[0]?.message ?? `${file}:${line}`), 'assertion');
      testCase.stacktrace(clean(texts.join('\n')));
    }
  }
  return builder.build();
}

/** XML cannot hold control characters, even escaped. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll(/[^\P{Cc}\t\n]/gu, '\ufffd');
}
