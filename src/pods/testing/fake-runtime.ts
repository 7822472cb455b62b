import type { Clock } from "../../support/clock.ts";
import { PulleyError } from "../../support/errors.ts";
import type {
  ContainerRuntime,
  Labels,
  RuntimeCondition,
  RuntimeContainer,
  RuntimeContainerConfig,
  SandboxConfig,
} from "../container-runtime.ts";

/** A runtime for tests: containers run for as long as they are told to, on the clock of the test. */
export interface FakeRuntime extends ContainerRuntime {
  /** How each start of a container goes, by its name; what is not in here runs for ever. The last one holds for all later ones. */
  readonly plans: Map<string, readonly Plan[]>;
  /** What calls fail with: `createContainer main`, `runPodSandbox`. */
  readonly failures: Map<string, string>;
  /** Every call that changed something: `runPodSandbox web`, `startContainer main 0`. */
  readonly calls: string[];
  readonly configs: RuntimeContainerConfig[];
  readonly sandboxConfigs: SandboxConfig[];
  isReachable: boolean;
  /** What is not ready of the runtime and its network. */
  conditions: readonly RuntimeCondition[];
  /** Ends a pod's sandbox, as a crash of the machine's would. */
  breakSandboxes(): void;
  /** Ids of all that is there. */
  left(): readonly string[];
}

export interface Plan {
  /** Milliseconds; absent: until it is stopped. */
  readonly runs?: number;
  readonly exitCode?: number;
  readonly reason?: string;
}

interface FakeSandbox {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly createdAt: number;
  ready: boolean;
}

interface FakeContainer {
  readonly id: string;
  readonly sandbox: string;
  readonly config: RuntimeContainerConfig;
  readonly createdAt: number;
  startedAt: number;
  plan: Plan;
  stoppedAt: number | undefined;
}

export function fakeRuntime(clock: Clock): FakeRuntime {
  const plans = new Map<string, readonly Plan[]>();
  const failures = new Map<string, string>();
  const calls: string[] = [];
  const configs: RuntimeContainerConfig[] = [];
  const sandboxConfigs: SandboxConfig[] = [];
  const sandboxes = new Map<string, FakeSandbox>();
  const containers = new Map<string, FakeContainer>();
  let count = 0;

  function newId(kind: string): string {
    count += 1;
    return `${kind}-${count}`;
  }

  function called(text: string, ...failing: readonly string[]): void {
    if (!fake.isReachable) throw new PulleyError("RUNTIME_UNREACHABLE", "no connection");
    calls.push(text);
    for (const key of failing) {
      const failure = failures.get(key);
      if (failure !== undefined) throw new PulleyError("RUNTIME_FAILED", failure);
    }
  }

  function reach(): void {
    if (!fake.isReachable) throw new PulleyError("RUNTIME_UNREACHABLE", "no connection");
  }

  function statusOf({ id, config, createdAt, startedAt, plan, stoppedAt }: FakeContainer): RuntimeContainer {
    const planned = plan.runs === undefined ? Number.POSITIVE_INFINITY : startedAt + plan.runs;
    const ended = Math.min(planned, stoppedAt ?? Number.POSITIVE_INFINITY);
    const hasEnded = startedAt >= 0 && ended <= clock.now();
    const { name, attempt, labels, annotations } = config;
    return {
      id,
      name,
      attempt,
      labels,
      annotations,
      createdAt,
      message: "",
      state: startedAt < 0 ? "created" : hasEnded ? "exited" : "running",
      startedAt: Math.max(0, startedAt),
      finishedAt: hasEnded ? ended : 0,
      exitCode: !hasEnded ? 0 : planned <= ended ? (plan.exitCode ?? 0) : 143,
      reason: hasEnded ? (plan.reason ?? "") : "",
      logPath: `/logs/${config.logPath}`,
    };
  }

  function stop(container: FakeContainer): void {
    container.stoppedAt ??= clock.now();
  }

  const fake: FakeRuntime = {
    plans,
    failures,
    calls,
    configs,
    sandboxConfigs,
    isReachable: true,
    conditions: [],
    breakSandboxes: () => {
      for (const sandbox of sandboxes.values()) sandbox.ready = false;
      for (const container of containers.values()) stop(container);
    },
    left: () => [...sandboxes.keys(), ...containers.keys()],
    version: async () => ({ name: "fake", version: "1" }),
    status: async () => fake.conditions,
    runPodSandbox: async (config) => {
      const { name, attempt } = config.metadata;
      called(`runPodSandbox ${name} ${attempt}`, "runPodSandbox");
      sandboxConfigs.push(config);
      const id = newId("sandbox");
      sandboxes.set(id, { id, config, createdAt: clock.now(), ready: true });
      return id;
    },
    stopPodSandbox: async (id) => {
      const sandbox = sandboxes.get(id);
      called(`stopPodSandbox ${sandbox?.config.metadata.name}`);
      if (sandbox !== undefined) sandbox.ready = false;
      for (const container of containers.values()) if (container.sandbox === id) stop(container);
    },
    removePodSandbox: async (id) => {
      called(`removePodSandbox ${sandboxes.get(id)?.config.metadata.name}`);
      sandboxes.delete(id);
      for (const container of containers.values()) if (container.sandbox === id) containers.delete(container.id);
    },
    podSandboxStatus: async (id) => {
      reach();
      const sandbox = sandboxes.get(id);
      return sandbox && { ...sandboxOf(sandbox), ips: sandbox.ready ? ["10.0.0.7"] : [] };
    },
    listPodSandboxes: async (labels) => {
      reach();
      return [...sandboxes.values()].map(sandboxOf).filter((sandbox) => hasAll(sandbox.labels, labels));
    },
    createContainer: async (sandbox, config) => {
      called(`createContainer ${config.name} ${config.attempt}`, `createContainer ${config.name}`);
      configs.push(config);
      const id = newId("container");
      const createdAt = clock.now();
      containers.set(id, { id, sandbox, config, createdAt, startedAt: -1, plan: {}, stoppedAt: undefined });
      return id;
    },
    startContainer: async (id) => {
      const container = containers.get(id);
      if (container === undefined) throw new PulleyError("RUNTIME_FAILED", `no container ${id}`);
      const { name, attempt } = container.config;
      called(`startContainer ${name} ${attempt}`, `startContainer ${name}`);
      const planned = plans.get(name) ?? [];
      container.plan = planned[attempt] ?? planned.at(-1) ?? {};
      container.startedAt = clock.now();
    },
    stopContainer: async (id, graceSeconds) => {
      const container = containers.get(id);
      called(`stopContainer ${container?.config.name} ${graceSeconds}`);
      if (container !== undefined) stop(container);
    },
    removeContainer: async (id) => {
      const config = containers.get(id)?.config;
      called(`removeContainer ${config?.name} ${config?.attempt}`);
      containers.delete(id);
    },
    containerStatus: async (id) => {
      reach();
      const container = containers.get(id);
      return container && statusOf(container);
    },
    listContainers: async (labels) => {
      reach();
      const all = [...containers.values()].filter(({ config }) => hasAll(config.labels, labels));
      return all.map((container) => ({ ...statusOf(container), sandbox: container.sandbox }));
    },
    reopenContainerLog: async (id) => called(`reopenContainerLog ${containers.get(id)?.config.name}`),
    imageUser: async () => ({ uid: 0, username: "" }),
  };
  return fake;
}

function sandboxOf({ id, config, ready, createdAt }: FakeSandbox) {
  return { id, metadata: config.metadata, ready, createdAt, labels: config.labels, annotations: config.annotations };
}

function hasAll(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
