/** Rules hold for images that are here already: where a runtime is asked to make a container from one. */

import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CreateContainerRequestSchema, RestorePodRequestSchema } from "../../src/cri/api/runtime/v1/api_pb.js";
import { connectRaw, framed, rawCall } from "../../src/cri/testing/raw-call.ts";
import { readImageName } from "../../src/image/index.ts";
import { kubernetesOnly, type Policy } from "../../src/policy/index.ts";
import type { EnsuredImage } from "../../src/pull/index.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { manualClock } from "../../src/support/manual-clock.ts";
import { startRuntime } from "./runtime.ts";
import { type CriGiven, startCri } from "./server.ts";
import { openShop } from "./shop.ts";

const shop = openShop();
const denyPublic = () =>
  policyOf(
    `{ name: shut, match: { images: ["${shop().registry.host}/team/public"] }, admit: Deny, message: only ours }`,
  );

interface Image {
  readonly image: { readonly image: string; readonly userSpecifiedImage?: string };
}

interface Config extends Image {
  readonly mounts?: (Image & { readonly containerPath: string })[];
}

interface Sandbox {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string };
  readonly labels?: Record<string, string>;
}

/** Pulley in front of a runtime, with one image that was pulled before the rules were as they are. */
async function node(given: CriGiven & { readonly status?: Parameters<typeof startRuntime>[0] } = {}) {
  const runtime = await startRuntime(given.status);
  let policy: Policy = kubernetesOnly;
  const ensured: EnsuredImage[] = [];
  const operations: string[] = [];
  const cri = await startCri({
    ...given,
    runtime: runtime.socket,
    policyNow: () => policy,
    onEnsured: (one) => ensured.push(one),
    onOperation: ({ operation, ok }) => operations.push(`${operation} ${ok}`),
  });
  const id = await cri.client.pull(shop().publicImage);
  const session = connectRaw(cri.socket);
  const before = { ensured: ensured.length, decisions: cri.decisions.length };
  async function call(name: string, bytes: Uint8Array, service = "runtime.v1", extra: Record<string, string> = {}) {
    const body = framed(Buffer.from(bytes));
    const { headers, trailers } = await rawCall(session, `/${service}.RuntimeService/${name}`, body, extra);
    const last = { ...headers, ...trailers };
    return {
      status: Number(last["grpc-status"]),
      message: decodeURIComponent(String(last["grpc-message"] ?? "")),
      body,
    };
  }
  const sandbox: Sandbox = { metadata: { name: "web-0", uid: "u1", namespace: "prod" }, labels: { tier: "web" } };
  return {
    ...cri,
    runtime,
    id,
    call,
    sandbox,
    ensured: () => ensured.slice(before.ensured),
    decisions: () => cri.decisions.slice(before.decisions),
    operations: () => operations.filter((one) => one.startsWith("CreateContainer")),
    warnings: () => cri.said.filter((text) => text.startsWith("warning: ")),
    rule: (next: Policy) => {
      policy = next;
    },
    create: (config: Config, more: { readonly sandbox?: Sandbox | null } = {}) => {
      const sandboxConfig = more.sandbox === null ? {} : { sandboxConfig: more.sandbox ?? sandbox };
      const request = { podSandboxId: "s1", config: { metadata: { name: "app" }, ...config }, ...sandboxConfig };
      return call(
        "CreateContainer",
        toBinary(CreateContainerRequestSchema, create(CreateContainerRequestSchema, request)),
      );
    },
  };
}

const image = (id: string, written: string): Image => ({ image: { image: id, userSpecifiedImage: written } });

describe("a container from an image that is here", () => {
  test("is not made where a rule denies the image, and the caller hears which", async () => {
    const { rule, create: make, id, runtime, operations } = await node();
    expect((await make(image(id, shop().publicImage))).status).toBe(0);
    rule(denyPublic());
    const { status, message } = await make(image(id, shop().publicImage));
    expect([status, message]).toEqual([7, `Image "${shop().publicImage}" is denied by test/shut: only ours`]);
    expect(runtime.asked.map(({ call }) => call)).toEqual(["CreateContainer"]);
    expect(operations()).toEqual(["CreateContainer false"]);
    rule(policyOf("{ name: open, admit: Allow }"));
    expect((await make(image(id, shop().publicImage))).status).toBe(0);
  });

  test.each([
    ["its namespace", '{ name: r, match: { namespaces: ["prod"] }, admit: Deny }', 7],
    ["another namespace", '{ name: r, match: { namespaces: ["dev"] }, admit: Deny }', 0],
    ["the pod's labels", "{ name: r, match: { labels: { matchLabels: { tier: web } } }, admit: Deny }", 7],
    ["the container's name", '{ name: r, match: { containers: ["app"] }, admit: Deny }', 7],
    ["another container", '{ name: r, match: { containers: ["other"] }, admit: Deny }', 0],
    [
      "what the image says of itself",
      "{ name: r, match: { imageLabels: { matchLabels: { tier: web } } }, admit: Deny }",
      7,
    ],
    ["what it says otherwise", "{ name: r, match: { imageLabels: { matchLabels: { tier: db } } }, admit: Deny }", 0],
    ["a digest that is required", "{ name: r, require: { digest: true } }", 7],
    ["its size", "{ name: r, require: { maxSize: 10Ki } }", 7],
    ["enough room", "{ name: r, require: { maxSize: 10Mi } }", 0],
    [
      "a window that is closed",
      '{ name: r, pull: { policy: Always }, when: { pull: ["Mon 00:00-00:01"], otherwise: Deny } }',
      7,
    ],
    ["a window for pulls alone", '{ name: r, when: { pull: ["Mon 00:00-00:01"], otherwise: Deny } }', 0],
    ["an age that is allowed", "{ name: r, pull: { maxStaleness: 1h } }", 0],
    ["a copy to be asked for always", "{ name: r, pull: { policy: Always } }", 0],
  ])("is held to %s", async (_, text, expected) => {
    const clock = manualClock(Date.UTC(2026, 10, 24, 12));
    const { rule, create: make, id, runtime } = await node({ clock });
    rule(policyOf(text));
    expect((await make(image(id, shop().publicImage))).status).toBe(expected);
    expect(runtime.asked).toHaveLength(expected === 0 ? 1 : 0);
  });

  test.each([
    ["ImageDenied", "{ name: r, mode: Warn, admit: Deny }"],
    ["RequirementNotMet", "{ name: r, mode: Warn, require: { maxSize: 10Ki } }"],
    ["CachedCopyTooOld", "{ name: r, mode: Warn, pull: { maxStaleness: 1h } }"],
  ])("is made though a rule on trial would refuse it, and that is told and counted: %s", async (reason, text) => {
    const clock = manualClock(Date.UTC(2026, 10, 24, 12));
    const { rule, create: make, id, said, ensured } = await node({ clock });
    rule(policyOf(text));
    await clock.advance(3_600_001);
    expect((await make(image(id, "other.invalid/name:1"))).status).toBe(0);
    expect(said.join("\n")).toContain(`warning: prod/web-0: test/r is on trial and would refuse with ${reason}: `);
    expect(ensured().map(({ decision }) => decision?.trial.warnings.map(({ rule: name }) => name))).toEqual([
      ["test/r"],
    ]);
  });

  test.each([
    ["{ name: r, pull: { maxStaleness: 1h } }"],
    ["{ name: r, pull: { policy: Always, maxStaleness: 1h, whenUnreachable: UseCached } }"],
  ])("is not made from a copy that is too old, until a registry has confirmed it: %s", async (text) => {
    const clock = manualClock(Date.UTC(2026, 10, 24, 12));
    const { rule, create: make, id, client } = await node({ clock });
    rule(policyOf(text));
    await clock.advance(3_600_001);
    const asked = shop().registry.log.length;
    const { status, message } = await make(image(id, shop().publicImage));
    expect(status).toBe(7);
    expect(message).toContain(
      "too old to be used without asking a registry: it was last confirmed at 2026-11-24T12:00:00",
    );
    expect(message).toContain("test/r allows 1h");
    expect(shop().registry.log.length).toBe(asked);
    await client.pull(shop().publicImage);
    expect((await make(image(id, shop().publicImage))).status).toBe(0);
  });

  test("mounts no image that a rule denies", async () => {
    const { rule, create: make, id, ensured, decisions } = await node();
    const own = `${shop().registry.host}/team/own:1`;
    rule(denyPublic());
    const mounts = [{ containerPath: "/data", ...image(id, shop().publicImage) }];
    const { status, message } = await make({ ...image("sha256:" + "0".repeat(64), own), mounts });
    expect([status, message]).toEqual([
      7,
      `ImageVolumeMountFailed: Image "${shop().publicImage}" is denied by test/shut: only ours`,
    ]);
    expect(ensured().map(({ outcome }) => outcome)).toEqual(["refused"]);
    expect(decisions().map(({ request }) => request.container.kind)).toEqual(["imageVolume"]);
  });
});

describe("the name that was written", () => {
  test.each([
    ["is not told: each that the copy has is meant", (id: string) => ({ image: { image: id } })],
    ["is told as an id", (id: string) => image(id, id)],
    ["is of another image", (id: string) => image(id, "registry.example.com/allowed:1")],
    ["is all that is told", () => ({ image: { image: shop().publicImage } })],
    ["is told as a part of the id", (id: string) => ({ image: { image: id.slice("sha256:".length, 24) } })],
  ])("%s", async (_, config) => {
    const { rule, create: make, id } = await node();
    rule(denyPublic());
    const { status, message } = await make(config(id));
    expect([status, message]).toEqual([7, `Image "${shop().publicImage}" is denied by test/shut: only ours`]);
    rule(policyOf('{ name: shut, match: { images: ["elsewhere.example.com"] }, admit: Deny }'));
    expect((await make(config(id))).status).toBe(0);
  });

  test("of an image that is not here is judged all the same, and the rest is the runtime's to say", async () => {
    const { rule, create: make, runtime } = await node();
    rule(policyOf('{ name: shut, match: { images: ["registry.example.com"] }, admit: Deny }'));
    const absent = `sha256:${"0".repeat(64)}`;
    expect((await make(image(absent, "registry.example.com/app:1"))).status).toBe(7);
    expect((await make(image(absent, "other.example.com/app:1"))).status).toBe(0);
    expect((await make(image("not an image", "not an image"))).message).toContain("not an image");
    expect(runtime.asked).toHaveLength(1);
    rule(policyOf("{ name: small, require: { maxSize: 1Mi } }"));
    expect((await make(image(absent, "other.example.com/app:1"))).message).toContain("cannot be held to test/small");
  });
});

describe("the pod", () => {
  test("is asked of the runtime where the caller does not repeat it", async () => {
    const {
      rule,
      create: make,
      id,
    } = await node({
      status: { status: { metadata: { name: "web-0", uid: "u1", namespace: "prod" }, labels: { tier: "web" } } },
    });
    rule(
      policyOf('{ name: shut, match: { namespaces: ["prod"], labels: { matchLabels: { tier: web } } }, admit: Deny }'),
    );
    expect((await make(image(id, shop().publicImage), { sandbox: null })).status).toBe(7);
  });

  test("is not restored where a rule denies an image of it, or nobody says which it has", async () => {
    const { rule, call, id, sandbox, runtime } = await node();
    const restore = (...images: readonly Config[]) => {
      const request = create(RestorePodRequestSchema, {
        checkpointPath: "/c",
        config: sandbox,
        containerConfigs: [...images],
      });
      return call("RestorePod", toBinary(RestorePodRequestSchema, request));
    };
    expect((await restore()).status).toBe(0);
    rule(denyPublic());
    const other = image(`sha256:${"0".repeat(64)}`, "other.example.com/app:1");
    expect((await restore(other, image(id, shop().publicImage))).message).toContain(
      "is denied by test/shut: only ours",
    );
    expect((await restore()).message).toContain("images that the request does not name");
    expect((await restore(other)).status).toBe(0);
    expect(runtime.asked).toHaveLength(2);
  });
});

describe("what passes", () => {
  test("is the same byte for byte, unknown fields and all", async () => {
    const { rule, call, id, runtime, sandbox } = await node();
    rule(policyOf("{ name: open, admit: Allow }"));
    const request = {
      podSandboxId: "s1",
      config: {
        metadata: { name: "app" },
        ...image(id, shop().publicImage),
        envs: [{ key: "K", value: Buffer.from([0xff, 0xfe]) }],
      },
      sandboxConfig: sandbox,
    };
    // A field that nobody has yet, fields in an order of their own, and a number written longer than it need be.
    const unknown = Buffer.from([0xfa, 0x7f, 0x03, 0x01, 0x02, 0x03, 0x80, 0xf8, 0x00, 0x81, 0x00]);
    const known = toBinary(CreateContainerRequestSchema, create(CreateContainerRequestSchema, request));
    const { status, body } = await call("CreateContainer", Buffer.concat([unknown, known, unknown]));
    expect(status).toBe(0);
    expect(runtime.asked[0]?.body.equals(body)).toBe(true);
  });

  test("is unread where there are no rules, and read before 1.20, too, where there are", async () => {
    const { rule, call, id, runtime } = await node();
    expect((await call("CreateContainer", Buffer.from([0xff, 0xff]))).status).toBe(0);
    rule(denyPublic());
    expect((await call("CreateContainer", Buffer.from([0xff, 0xff]))).status).toBe(3);
    const config = { metadata: { name: "app" }, ...image(id, shop().publicImage) };
    const request = toBinary(
      CreateContainerRequestSchema,
      create(CreateContainerRequestSchema, { config, sandboxConfig: { metadata: {} } }),
    );
    expect((await call("CreateContainer", request, "runtime.v1alpha2")).status).toBe(7);
    expect((await call("RunPodSandbox", Buffer.from([0xff, 0xff]))).status).toBe(0);
    expect(runtime.asked.map((one) => one.call)).toEqual(["CreateContainer", "RunPodSandbox"]);
  });
});

describe("what is told of it", () => {
  test("is told once, however often the caller tries, and counted each time", async () => {
    const { rule, create: make, id, warnings, decisions, ensured } = await node();
    rule(denyPublic());
    for (let attempt = 0; attempt < 3; attempt += 1) await make(image(id, shop().publicImage));
    expect(warnings()).toEqual([
      `warning: prod/web-0: Image "${shop().publicImage}" is denied by test/shut: only ours`,
    ]);
    expect(ensured()).toHaveLength(3);
    expect(ensured()[0]).toMatchObject({ outcome: "refused", decision: { reason: "ImageDenied" } });
    expect(decisions()).toEqual([
      expect.objectContaining({
        request: expect.objectContaining({
          image: readImageName(shop().publicImage),
          container: { name: "app", kind: "container" },
        }),
        facts: expect.objectContaining({
          presence: "present",
          image: expect.objectContaining({ labels: { tier: "web" } }),
        }),
        outcome: expect.objectContaining({ kind: "refused", failure: "ImageDenied", fetched: 0 }),
      }),
    ]);
    rule(policyOf("{ name: other, admit: Deny }"));
    await make(image(id, shop().publicImage));
    expect([warnings().length, decisions().length]).toEqual([2, 2]);
  });

  test("is not told twice of a start that follows its own pull", async () => {
    const { rule, create: make, id, decisions, client } = await node();
    rule(policyOf("{ name: open, admit: Allow }"));
    await make(image(id, shop().publicImage), {
      sandbox: { metadata: { name: "web-0", uid: "u1", namespace: "default" } },
    });
    // That was the first start after the pull by which the image came.
    expect(decisions()).toEqual([]);
    await make(image(id, shop().publicImage), {
      sandbox: { metadata: { name: "web-0", uid: "u1", namespace: "default" } },
    });
    expect(decisions().map(({ outcome }) => outcome.kind)).toEqual(["used"]);
    await client.pull(shop().publicImage);
    await make(image(id, shop().publicImage), {
      sandbox: { metadata: { name: "web-0", uid: "u1", namespace: "default" } },
    });
    expect(decisions().map(({ outcome }) => outcome.kind)).toEqual(["used", "confirmed"]);
  });
});
