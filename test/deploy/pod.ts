// What must hold of a pod that runs in production, as a function from a pod's specification to sentences about what
// breaks it. Called by deploy.test.ts. It must never read a file.

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: ReadonlyArray<{ readonly name: string; readonly value?: string }>;
  readonly volumeMounts?: ReadonlyArray<{
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }>;
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly runAsNonRoot?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly privileged?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly timeoutSeconds?: number;
}

export interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: ReadonlyArray<{ readonly name: string }>;
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly securityContext?: { readonly fsGroup?: number; readonly seccompProfile?: { readonly type: string } };
}

/** One sentence per problem; none where all is well. `mayBeRoot` names init containers that have to be. */
export function findPodProblems(pod: PodSpec, mayBeRoot: readonly string[] = []): string[] {
  const all = containersOf(pod);
  const volumes = new Set((pod.volumes ?? []).map((volume) => volume.name));
  return [
    ...(pod.securityContext?.seccompProfile?.type === 'RuntimeDefault' ? [] : ['pod: no seccomp profile']),
    ...(pod.automountServiceAccountToken === false ? [] : ['pod: holds a token of the Kubernetes API']),
    ...(pod.hostNetwork || pod.hostPID ? ['pod: shares a namespace of the node'] : []),
    ...all.flatMap((container) => checkSecurity(container, mayBeRoot)),
    ...all.flatMap(checkResources),
    ...all.flatMap(({ name, volumeMounts = [] }) =>
      volumeMounts.filter((mount) => !volumes.has(mount.name)).map((mount) => `${name}: no volume ${mount.name}`),
    ),
  ];
}

export function containersOf(pod: PodSpec): Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

/** What a Postern that keeps running must have besides. */
export function findProbeProblems({ name, startupProbe, readinessProbe, livenessProbe }: Container): string[] {
  const probes = { startupProbe, readinessProbe, livenessProbe };
  return Object.entries(probes).flatMap(([kind, probe]) => {
    if (probe?.exec === undefined) return [`${name}: ${kind} is no exec probe, and the listeners are on loopback`];
    return (probe.timeoutSeconds ?? 1) > 1 ? [] : [`${name}: ${kind} leaves a process too little time to start`];
  });
}

function checkSecurity({ name, securityContext: context = {} }: Container, mayBeRoot: readonly string[]): string[] {
  const nonRoot = context.runAsNonRoot === true && (context.runAsUser ?? 0) > 0;
  return [
    ...(nonRoot || mayBeRoot.includes(name) ? [] : [`${name}: may be root`]),
    ...(context.allowPrivilegeEscalation === false && !context.privileged ? [] : [`${name}: may gain privileges`]),
    ...(context.readOnlyRootFilesystem === true ? [] : [`${name}: may write to its image`]),
    ...(context.capabilities?.drop?.includes('ALL') ? [] : [`${name}: keeps capabilities`]),
    ...(context.capabilities?.add !== undefined && !mayBeRoot.includes(name) ? [`${name}: adds capabilities`] : []),
  ];
}

function checkResources({ name, resources = {} }: Container): string[] {
  const { requests = {}, limits = {} } = resources;
  const missing = [
    ...(['cpu', 'memory'] as const).filter((kind) => requests[kind] === undefined).map((kind) => `request of ${kind}`),
    ...(limits.memory === undefined ? ['limit of memory'] : []),
  ];
  return missing.map((what) => `${name}: no ${what}`);
}
