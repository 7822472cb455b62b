import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { expect, it } from "vitest";
import { kubeletConfiguration } from "../kubelet-config/index.ts";
import { fakeRegistry } from "../pull/testing/fake-registry.ts";
import { podOf } from "../pull/testing/pods.ts";
import { openEmbeddedStore } from "../store/index.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import { manualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import type { Pod } from "../workload/index.ts";
import { loadPolicyFiles } from "./policy-option.ts";
import { type PodsResult, runPods } from "./run-pods.ts";

const pods = ["one", "two"].map((name) => {
  const containers = ["first", "second"].map((container) => ({
    name: container,
    image: `acme.io/${name}:${container}`,
  }));
  return podOf({ name, containers });
});

interface RunGiven {
  readonly pods: readonly Pod[];
  readonly once?: boolean;
  readonly policy?: string;
  readonly clock?: Clock;
  /** Hears each line as soon as it is written, with its place; may end the run. */
  readonly hear: (line: string, at: number, end: () => void) => void;
}

interface Run extends PodsResult {
  /** What was written on standard error. */
  readonly lines: readonly string[];
}

/** Runs pods on a store on disk, with a registry in memory. */
async function run({ pods: given, once = true, policy, clock = systemClock, hear }: RunGiven): Promise<Run> {
  const root = join(temporaryFolder(), "store");
  const store = await openEmbeddedStore(root);
  const registry = fakeRegistry();
  for (const { image } of given.flatMap(({ containers }) => containers)) registry.push(image, { layers: [image] });
  const stopping = new AbortController();
  const lines: string[] = [];
  const stderr = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      lines.push(text);
      hear(text, lines.length - 1, () => stopping.abort());
      done();
    },
  });
  const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, environment: {} };
  const { policy: first, files } = await loadPolicyFiles(policy === undefined ? {} : { policy }, io);
  try {
    const result = await runPods(
      {
        pods: given,
        store,
        registry,
        root,
        once,
        clock,
        policy: first,
        policyFiles: files,
        secrets: [],
        contentSharing: "isolated",
        objects: { configMaps: [], secrets: [] },
        platform: { os: "linux", architecture: "amd64", variant: "" },
        kubelet: kubeletConfiguration({ registryPullQPS: 0 }),
        containers: undefined,
        keep: false,
        loginsFor: () => ({ logins: async () => [] }),
        hosts: undefined,
        signal: stopping.signal,
      },
      io,
    );
    return { ...result, lines };
  } finally {
    await store.close();
  }
}

/** Of each container whether an event told of its image, and whether it is counted as prepared. */
function accounts({ pods: statuses, events }: PodsResult) {
  return statuses.flatMap(({ pod, containers }) =>
    containers.map(({ name, state }) => {
      const own = events.filter((event) => event.pod.uid === pod.uid && event.fieldPath === `spec.containers{${name}}`);
      return { told: own.some(({ reason }) => reason === "Pulled"), counted: state.kind === "prepared" };
    }),
  );
}

it("counts what it has told of, at whatever line it is interrupted", async () => {
  const whole = await run({ pods, hear: () => undefined });
  expect(whole.lines.filter((line) => line.includes("Successfully pulled"))).toHaveLength(4);
  for (const moment of whole.lines.keys()) {
    const ended = await run({ pods, hear: (_line, at, end) => at === moment && end() });
    for (const { told, counted } of accounts(ended)) expect({ moment, counted }).toEqual({ moment, counted: told });
    const shown = ended.lines.filter((line) => line.includes("Successfully pulled"));
    expect(shown).toHaveLength(ended.events.filter(({ reason }) => reason === "Pulled").length);
  }
});

function policy(rule: string): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec: { rules: [${rule}] }\n`;
}

it("looks at pods that wait as soon as other rules hold, and counts what that brought in", async () => {
  const file = join(temporaryFolder(), "policy.yaml");
  await writeFile(file, policy("{ name: closed, admit: Deny, message: closed today }"));
  const clock = manualClock(1_000_000_000_000);
  const start = clock.now();
  let onRefused: () => void = () => undefined;
  const refused = new Promise<void>((resolve) => {
    onRefused = resolve;
  });
  const running = run({
    pods: pods.slice(0, 1),
    once: false,
    policy: file,
    clock,
    hear: (line, _at, end) => {
      if (/Warning +Failed +pod\/one\/second +.*ImageDenied/.test(line)) onRefused();
      if (/pod\/one\/second +Successfully pulled/.test(line)) end();
    },
  });
  await refused;
  await writeFile(file, policy("{ name: open, admit: Allow }"));
  await clock.advance(1000);
  await clock.advance(1000);
  const { pods: ended, lines } = await running;
  expect(ended[0]).toMatchObject({ phase: "Prepared", containers: [{ decision: { action: "Pull" } }, {}] });
  expect(lines.join("")).toContain("has changed, and the new one is in effect");
  expect(clock.now() - start).toBe(2000);
});
