// The Dockerfile and the manifests, checked without a container engine or a cluster: what must hold for production,
// and that every name, port, path and option in them is one that the code has.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SERVING_FLAG } from '../bin/exec.js';
import packageJson from '../package.json' with { type: 'json' };
import { createProgram } from '../src/cli/program.ts';
import { envNameOf, type OptionSpec } from '../src/config/option-spec.ts';
import { serveOptions } from '../src/config/options.ts';
import { loadPolicyFile } from '../src/policy-file/load.ts';
import { execForm, findImageProblems, lastValueOf, parseDockerfile, toStages } from './deploy/dockerfile.ts';
import { type Container, containersOf, findPodProblems, findProbeProblems, type PodSpec } from './deploy/pod.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: ReadonlyArray<{ readonly name: string; readonly files: readonly string[] }>;
  readonly images: ReadonlyArray<{ readonly name: string; readonly newTag: string }>;
}

const ROOT = join(import.meta.dirname, '..');
const KUBERNETES = join(ROOT, 'deploy', 'kubernetes');
/** The only container that has to be root: it hands a directory of the node to Postern. */
const MAY_BE_ROOT = ['directories'];

const options: readonly OptionSpec[] = serveOptions;
const defaultOf = (key: string) => options.find((option) => option.key === key)?.default ?? '';
const portOf = (key: string) => defaultOf(key).split(':').at(-1) ?? '';
const variables = new Set([...options.map(envNameOf), 'POSTERN_ADDRESS', 'POSTERN_CONFIG']);

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const dockerfile = read('Dockerfile');
const stages = toStages(parseDockerfile(dockerfile));
const lastStage = stages.at(-1) ?? [];

const variants = readdirSync(KUBERNETES);
const kustomizationOf = (variant: string): Kustomization =>
  parse(readFileSync(join(KUBERNETES, variant, 'kustomization.yaml'), 'utf8'));
const manifests = variants.flatMap((variant) =>
  kustomizationOf(variant).resources.flatMap((file) =>
    parseAllDocuments(readFileSync(join(KUBERNETES, variant, file), 'utf8')).map((document) => ({
      file: `${variant}/${file}`,
      errors: document.errors,
      manifest: document.toJS() as Manifest,
    })),
  ),
);
const pods = manifests.flatMap(({ file, manifest }) => {
  const pod = manifest.spec?.template?.spec;
  return pod === undefined ? [] : [{ file, pod }];
});
const sidecars = pods.flatMap(({ file, pod }) => {
  const found = containersOf(pod).filter(({ args }) => args?.[0] === 'serve');
  return found.map((container) => ({ file, pod, container }));
});

describe('the image', () => {
  test('is fit for production', () => {
    expect(findImageProblems(dockerfile)).toEqual([]);
  });

  test('runs the Node that the tests run', () => {
    expect(stages[0]?.[0]?.rest).toBe(`node:${packageJson.devDependencies.node}-bookworm-slim AS build`);
  });

  test('starts Node with the flag that keeps its pauses short', () => {
    expect(read('scripts', 'image-root.sh')).toContain(`1s|.*|#!/usr/local/bin/node ${SERVING_FLAG}|`);
    expect(read('docs', 'deployment.md')).toContain(`\`NODE_OPTIONS=${SERVING_FLAG}\``);
  });

  test('exposes the default ports', () => {
    expect(lastValueOf(lastStage, 'EXPOSE')).toBe(`${portOf('grpc-address')} ${portOf('http-address')}`);
  });

  test('starts and probes with commands that exist', async () => {
    const commands = [...execWords('ENTRYPOINT'), ...execWords('CMD')];
    expect(commands).toEqual(['postern', 'serve']);
    expect(execWords('HEALTHCHECK')).toEqual(['postern', 'health']);
    const program = await createProgram();
    expect(program.commands.map((command) => command.name())).toEqual(expect.arrayContaining(['serve', 'health']));
  });

  test('sets variables that exist', () => {
    const set = lastStage
      .filter(({ keyword }) => keyword === 'ENV')
      .flatMap(({ rest }) => rest.match(/POSTERN_\w+/g) ?? []);
    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((name) => !variables.has(name))).toEqual([]);
  });

  test('copies what is there, and .dockerignore lets exactly that in', () => {
    const copied = stages
      .slice(0, -1)
      .flatMap((stage) => stage.filter(({ keyword }) => keyword === 'COPY'))
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    const letIn = read('.dockerignore').match(/^!.+$/gm) ?? [];
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(letIn.map((line) => line.slice(1)).sort()).toEqual(copied.sort());
  });

  test('is built by the steps that check-image-steps.sh runs', () => {
    const script = read('scripts', 'check-image-steps.sh');
    const steps = (stages[0] ?? []).filter(({ keyword }) => keyword === 'RUN').map(({ rest }) => execForm(rest) ?? []);
    const npm = steps.filter(([command]) => command === 'npm').map((words) => words.join(' '));
    expect(npm).toHaveLength(3);
    expect(npm.filter((line) => !script.includes(line))).toEqual([]);
    expect(steps.at(-1)?.slice(0, 2)).toEqual(['sh', 'scripts/image-root.sh']);
  });
});

describe('the manifests', () => {
  test('are YAML, and each is part of a kustomization', () => {
    expect(manifests.flatMap(({ file, errors }) => errors.map((error) => `${file}: ${error.message}`))).toEqual([]);
    for (const variant of variants) {
      const { resources, configMapGenerator = [] } = kustomizationOf(variant);
      const named = ['kustomization.yaml', ...resources, ...configMapGenerator.flatMap(({ files }) => files)];
      expect(named.sort()).toEqual(readdirSync(join(KUBERNETES, variant)).sort());
    }
  });

  test('name the image by the version of the package', () => {
    const images = variants.flatMap((variant) => kustomizationOf(variant).images);
    expect(images).toEqual(variants.map(() => ({ name: 'postern', newTag: packageJson.version })));
  });

  test.for(pods)('$file is fit for production', ({ pod }) => {
    expect(findPodProblems(pod, MAY_BE_ROOT)).toEqual([]);
  });

  test('hold one sidecar each, native where it stands beside a service', () => {
    expect(sidecars.map(({ file }) => dirname(file)).sort()).toEqual([...variants].sort());
    const beside = sidecars.filter(({ pod, container }) => pod.initContainers?.includes(container));
    expect(beside.map(({ file, container }) => [file, container.restartPolicy])).toEqual([
      ['sidecar/deployment.yaml', 'Always'],
    ]);
  });

  test.for(sidecars)('$file probes what the sidecar serves', ({ container }) => {
    expect(findProbeProblems(container)).toEqual([]);
    expect(container.readinessProbe?.exec?.command).toEqual(['postern', 'health']);
    expect(container.startupProbe?.exec?.command).toEqual(['postern', 'health']);
    const [command, flag, code = ''] = container.livenessProbe?.exec?.command ?? [];
    expect([command, flag]).toEqual(['node', '--eval']);
    expect(code).toContain(`http://${defaultOf('http-address')}/livez`);
  });

  test.for(sidecars)('$file sets options and variables that exist', ({ container }) => {
    const flags = (container.args ?? []).slice(1).map((arg) => arg.replace(/^--([^=]*)=?.*$/, '$1'));
    const names = (container.env ?? []).map(({ name }) => name);
    expect(flags.filter((flag) => !options.some(({ key }) => key === flag))).toEqual([]);
    expect(names.filter((name) => !variables.has(name))).toEqual([]);
  });

  test.for(sidecars)('$file puts the socket in a mounted directory, and its probes ask there', ({ container }) => {
    const socket = argOf(container, 'socket');
    expect(container.volumeMounts?.map(({ mountPath }) => mountPath)).toContain(dirname(socket));
    expect(container.env).toContainEqual({ name: 'POSTERN_ADDRESS', value: `unix:${socket}` });
  });

  test.for(sidecars)('$file writes decisions where it can', ({ container }) => {
    const inRedis = container.env?.some(({ name }) => name === 'POSTERN_REDIS');
    expect(inRedis || argOf(container, 'decision-log') === 'stdout').toBe(true);
    // In Redis by way of a spool, in the image's directory beside that of decisions.
    if (inRedis) expect(container.volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/var/lib/postern');
  });

  test.for(sidecars)('$file leaves time to drain', ({ pod }) => {
    const drain = /^(\d+)s$/.exec(defaultOf('drain-timeout'))?.[1];
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(drain));
  });

  test('hold a policy that is valid, mounted so that it can change', async () => {
    const result = await loadPolicyFile(join(KUBERNETES, 'sidecar', 'policy.yaml'));
    expect(result.ok ? [] : result.problems).toEqual([]);
    const [sidecar] = sidecars.filter(({ file }) => file.startsWith('sidecar/'));
    const policy = sidecar === undefined ? '' : argOf(sidecar.container, 'policy');
    const mount = sidecar?.container.volumeMounts?.find(({ mountPath }) => mountPath === dirname(policy));
    expect(mount).toMatchObject({ name: 'postern-policy' });
    expect(mount?.subPath).toBeUndefined();
  });
});

describe('the rules', () => {
  test('name what is wrong with a careless image', () => {
    expect(findImageProblems('FROM node:24\nUSER node\nRUN npm ci\nCMD npm start')).toEqual([
      'one stage: build tools stay inside',
      'node:24: not pinned',
      "USER node: not a number other than root's",
      'last stage: RUN',
      'ENTRYPOINT: missing, or needs a shell',
      'CMD: missing, or needs a shell',
      'HEALTHCHECK: missing, or needs a shell',
      'STOPSIGNAL: not SIGTERM',
    ]);
  });

  test('name what is wrong with a careless pod', () => {
    const careless: Container = { name: 'app', image: 'app', volumeMounts: [{ name: 'gone', mountPath: '/gone' }] };
    expect(findPodProblems({ containers: [careless], hostNetwork: true })).toEqual([
      'pod: no seccomp profile',
      'pod: holds a token of the Kubernetes API',
      'pod: shares a namespace of the node',
      'app: may be root',
      'app: may gain privileges',
      'app: may write to its image',
      'app: keeps capabilities',
      'app: no request of cpu',
      'app: no request of memory',
      'app: no limit of memory',
      'app: no volume gone',
    ]);
    expect(findProbeProblems({ ...careless, livenessProbe: { exec: { command: ['true'] } } })).toEqual([
      'app: startupProbe is no exec probe, and the listeners are on loopback',
      'app: readinessProbe is no exec probe, and the listeners are on loopback',
      'app: livenessProbe leaves a process too little time to start',
    ]);
  });
});

function execWords(keyword: string): string[] {
  return execForm(lastValueOf(lastStage, keyword)) ?? [];
}

/** The value of `--name=value` in a container's arguments; empty where there is none. */
function argOf({ args = [] }: Container, name: string): string {
  const prefix = `--${name}=`;
  return args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length) ?? '';
}
