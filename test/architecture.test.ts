// Executes the layering rules on the real files, and shows on made-up files that each rule can fail.
// To allow a new import, change the table here and say why in docs/decisions.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import type { SourceFile } from './architecture/imports.ts';
import { type Architecture, findViolations } from './architecture/rules.ts';

const ARCHITECTURE: Architecture = {
  layers: {
    model: 0,
    graph: 1,
    aside: 1,
    regex: 1,
    condition: 2,
    engine: 2,
    'policy-file': 3,
    'snapshot-file': 3,
    store: 4,
    authn: 4,
    'decision-log': 4,
    import: 4,
    replica: 5,
    pdp: 6,
    admin: 6,
    server: 7,
    impact: 7,
    sidecar: 8,
    cli: 9,
    main: 10,
  },
  folders: {
    'decision-log': { chain: 0, sinks: 1, spool: 1 },
    server: { wire: 0, decision: 1, policy: 1, 'decision-log': 2, grpc: 3, http: 3 },
  },
  utilities: { names: ['config', 'telemetry'], importableFrom: 4, mayImport: ['model'] },
  owners: {
    '@bomb.sh/tab': ['cli'],
    '@bufbuild/cel': ['condition'],
    '@bufbuild/cel-spec': ['condition'],
    '@bufbuild/protobuf': ['server', 'cli', 'condition'],
    '@connectrpc/connect': ['server'],
    '@connectrpc/connect-node': ['server'],
    '@grpc/grpc-js': ['server', 'cli/client'],
    '@grpc/reflection': ['server'],
    '@opentelemetry/api': ['decision-log/sinks'],
    '@opentelemetry/otlp-transformer': ['decision-log/sinks'],
    '@opentelemetry/resources': ['decision-log/sinks'],
    chokidar: ['policy-file'],
    'cli-progress': ['cli'],
    commander: ['cli'],
    'fastest-levenshtein': ['policy-file'],
    'grpc-health-check': ['server'],
    ioredis: ['store/redis'],
    jose: ['authn'],
    'junit-report-builder': ['cli'],
    picocolors: ['cli'],
    pino: ['telemetry'],
    'pino-pretty': ['telemetry'],
    'prom-client': ['telemetry'],
    re2js: ['regex'],
    ulid: ['decision-log'],
    yaml: ['policy-file'],
    zod: ['policy-file'],
  },
  pure: ['model', 'graph', 'engine'],
  generatedFor: ['server', 'cli'],
  maxLines: 300,
};

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'bin'];

function readSources(): SourceFile[] {
  const folders = readdirSync(ROOT).filter((name) => FOLDERS.includes(name));
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({
        path: path.slice(ROOT.length + 1).replaceAll(sep, '/'),
        text: readFileSync(path, 'utf8'),
      })),
  );
}

describe('the code', () => {
  test('keeps to its layers, owners and limits', () => {
    expect(findViolations(readSources(), ARCHITECTURE)).toEqual([]);
  });

  test('has an owner for every dependency, and no owner of none', () => {
    expect(Object.keys(ARCHITECTURE.owners).sort()).toEqual(Object.keys(packageJson.dependencies).sort());
  });
});

const BROKEN: ReadonlyArray<{ rule: string; files: Record<string, string>; violations: string[] }> = [
  {
    rule: 'an import of a higher layer',
    files: {
      'src/graph/a.ts': "import { b } from '../engine/b.ts';",
      'src/replica/a.ts': "import { b } from '../pdp/b.ts';",
    },
    violations: [
      'src/graph/a.ts: graph may not import engine (src/engine/b.ts)',
      'src/replica/a.ts: replica may not import pdp (src/pdp/b.ts)',
    ],
  },
  {
    rule: 'a type import of a sibling',
    files: { 'src/store/a.ts': "import type { B } from '../decision-log/b.ts';" },
    violations: ['src/store/a.ts: store may not import decision-log (src/decision-log/b.ts)'],
  },
  {
    rule: 'a re-export, a dynamic import, one for its effects and one over several lines',
    files: {
      'src/model/a.ts': "export { x } from '../graph/x.ts';",
      'src/model/b.ts': "const x = await import('../graph/x.ts');",
      'src/model/c.ts': "import '../graph/x.ts';",
      'src/model/d.ts': "import {\n  x,\n  y,\n} from '../graph/x.ts';",
    },
    violations: ['a', 'b', 'c', 'd'].map((name) => `src/model/${name}.ts: model may not import graph (src/graph/x.ts)`),
  },
  {
    rule: 'a sibling folder',
    files: { 'src/store/redis/a.ts': "import { b } from '../memory/b.ts';" },
    violations: ['src/store/redis/a.ts: sideways import of a sibling folder (src/store/memory/b.ts)'],
  },
  {
    rule: 'a folder above, where the folders of a directory have layers',
    files: { 'src/server/wire/a.ts': "import { b } from '../grpc/b.ts';" },
    violations: ['src/server/wire/a.ts: sideways import of a sibling folder (src/server/grpc/b.ts)'],
  },
  {
    rule: 'a utility below the layers that may use it, or one that uses more than it may',
    files: {
      'src/policy-file/a.ts': "import { b } from '../config/b.ts';",
      'src/config/b.ts': "import { c } from '../telemetry/c.ts';",
    },
    violations: [
      'src/config/b.ts: config may not import telemetry (src/telemetry/c.ts)',
      'src/policy-file/a.ts: policy-file may not import config (src/config/b.ts)',
    ],
  },
  {
    rule: 'a cycle, once',
    files: {
      'src/model/a.ts': "import { b } from './b.ts';",
      'src/model/b.ts': "import { c } from './c.ts';",
      'src/model/c.ts': "import { a } from './a.ts';\nimport { b } from './b.ts';",
    },
    violations: [
      'import cycle: src/model/a.ts -> src/model/b.ts -> src/model/c.ts -> src/model/a.ts',
      'import cycle: src/model/b.ts -> src/model/c.ts -> src/model/b.ts',
    ],
  },
  {
    rule: 'a package outside its owner, and one without an owner',
    files: {
      'src/replica/a.ts': "import { Redis } from 'ioredis';",
      'src/server/b.ts': "import x from '@scope/unheard/of';\nimport fs from 'fs';",
      'src/cli/check.ts': "import { credentials } from '@grpc/grpc-js';",
    },
    violations: [
      'src/cli/check.ts: imports @grpc/grpc-js, which belongs to server, cli/client',
      'src/replica/a.ts: imports ioredis, which belongs to store/redis',
      'src/server/b.ts: imports @scope/unheard, which has no owner',
      'src/server/b.ts: imports fs, which has no owner',
    ],
  },
  {
    rule: 'a node: module or a package in a pure part, or a part that may have one',
    files: {
      'src/graph/a.ts': "import { join } from 'node:path';",
      'src/engine/b.ts': "import { z } from 'zod';",
      'src/engine/c.ts': "import { compile } from '../regex/re2.ts';",
    },
    violations: [
      'src/engine/b.ts: imports zod, but is pure',
      'src/engine/c.ts: imports src/regex/re2.ts, but is pure',
      'src/graph/a.ts: imports node:path, but is pure',
    ],
  },
  {
    rule: 'generated code outside the adapters',
    files: { 'src/pdp/a.ts': "import type { X } from '../gen/postern/v1/x_pb.ts';" },
    violations: ['src/pdp/a.ts: imports generated code (src/gen/postern/v1/x_pb.ts)'],
  },
  {
    rule: 'a default export, in both forms',
    files: { 'src/cli/a.ts': 'export default 1;', 'src/cli/b.ts': 'const x = 1;\nexport { x as default };' },
    violations: ['src/cli/a.ts: default export', 'src/cli/b.ts: default export'],
  },
  {
    rule: 'the type any',
    files: { 'src/pdp/a.ts': 'const a: any = 1;', 'src/pdp/b.ts': 'new Map<string, any>();' },
    violations: ['src/pdp/a.ts: the type any', 'src/pdp/b.ts: the type any'],
  },
  {
    rule: 'a long file, tests included',
    files: { 'test/a.ts': 'x\n'.repeat(301) },
    violations: ['test/a.ts: 301 lines, more than 300'],
  },
  {
    rule: 'a directory without a layer',
    files: { 'src/helpers/a.ts': '' },
    violations: ['src/helpers/a.ts: helpers has no layer'],
  },
];

describe('the rules', () => {
  test.for(BROKEN)('name $rule', ({ files, violations }) => {
    expect(findViolations(toFiles(files), ARCHITECTURE)).toEqual(violations);
  });

  test('are silent about what is allowed, and about comments and strings', () => {
    const files = toFiles({
      'src/model/a.ts': "// import { b } from '../graph/b.ts'; export default any\nexport const a = ': any';",
      'src/graph/b.ts': "/* import 'zod' */\nimport { a } from '../model/a.ts';\nexport const any = z.any();",
      'src/store/redis/c.ts': "import { Redis } from 'ioredis';\nimport { d } from '../d.ts';",
      'src/store/d.ts': "import { readFile } from 'node:fs';\nimport { e } from '../config/e.ts';",
      'src/config/e.ts': "import { a } from '../model/a.ts';",
      'src/cli/client.ts': "import { Client } from '@grpc/grpc-js';\nimport { X } from '../gen/postern/v1/x_pb.ts';",
      'src/gen/postern/v1/x_pb.ts': `import type { GenFile } from '@bufbuild/protobuf';\n${'x\n'.repeat(400)}`,
      'src/server/grpc/f.ts': "import { g } from '../wire/g.ts';",
      'src/main.ts': "import { run } from './cli/client.ts';",
    });
    expect(findViolations(files, ARCHITECTURE)).toEqual([]);
  });
});

function toFiles(files: Record<string, string>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
