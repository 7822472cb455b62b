import { describe, expect, it } from "vitest";
import { givenWithTag } from "../image/index.ts";
import {
  type Decision,
  kubernetesOnly,
  noTrial,
  type Prepare,
  type Prepared,
  prepare,
  type RefusalReason,
} from "../policy/index.ts";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import type { PullPolicy } from "../workload/index.ts";
import { createBackOff } from "./back-off.ts";
import { createImageManager, type Ensured, type ImageManagerOptions } from "./image-manager.ts";
import { createPuller } from "./puller.ts";
import type { AccessResult, PullRecords } from "./records/index.ts";
import { createSourceOrder } from "./source-order.ts";
import { fakeImages, localImage } from "./testing/fake-images.ts";
import { loginOf, sourceOf } from "./testing/logins.ts";
import { podOf } from "./testing/pods.ts";

const nginx = localImage("nginx:1.27");

/** Records that answer as they are told, and tell what was noted. */
function fakeRecords(access: AccessResult = "credentialRecordFound") {
  const noted: string[] = [];
  const records: PullRecords = {
    begin: async (image) => void noted.push(`begin ${givenWithTag(image)}`),
    succeed: async (image, imageRef, used) =>
      void noted.push(`succeed ${givenWithTag(image)} ${imageRef.slice(0, 10)} ${used?.source}`),
    fail: async (image) => void noted.push(`fail ${givenWithTag(image)}`),
    access: async () => access,
    recover: async () => undefined,
    prune: async () => undefined,
  };
  return { records, noted };
}

function setUp(given: Partial<ImageManagerOptions> = {}) {
  const clock = manualClock();
  const images = fakeImages(clock);
  const puller = createPuller({ images, settings: {}, clock, order: createSourceOrder(clock) });
  const backOff = createBackOff(clock);
  const options = {
    images,
    puller,
    backOff,
    records: undefined,
    policy: () => kubernetesOnly,
    clock,
    ...given,
  };
  const manager = createImageManager(options);
  const events: string[] = [];
  const ensure = async (
    image: string,
    pullPolicy: PullPolicy = "IfNotPresent",
    logins = sourceOf(),
    signal?: AbortSignal,
  ): Promise<Ensured> => {
    const pod = podOf({ containers: [{ image, pullPolicy }] });
    const [container] = pod.containers;
    if (container === undefined) throw new Error("no container");
    const record = (type: string, reason: string, message: string) => events.push(`${type} ${reason}: ${message}`);
    const ensuring = manager.ensureImageExists({ pod, container, logins, record, signal });
    const [ensured] = await Promise.all([ensuring, clock.advance(100)]);
    return ensured;
  };
  return { ensure, events, images, clock };
}

interface Row {
  readonly policy: PullPolicy;
  readonly here: boolean;
  readonly access?: AccessResult;
  readonly event: string;
  readonly reason?: string;
  readonly labels: readonly [present: boolean | "unknown", required: boolean | "unknown"];
}

const already = 'Normal Pulled: Container image "nginx:1.27" already present on machine';
const pulling = 'Normal Pulling: Pulling image "nginx:1.27"';
const never = 'Warning ErrImageNeverPull: Container image "nginx:1.27" is not present with pull policy of Never';
const reasonNever = "ErrImageNeverPull";

describe("presence and pull policy", () => {
  it.each<Row>([
    { policy: "Always", here: false, event: pulling, labels: ["unknown", true] },
    { policy: "Always", here: true, event: pulling, labels: ["unknown", true] },
    { policy: "IfNotPresent", here: false, event: pulling, labels: [false, true] },
    { policy: "IfNotPresent", here: true, event: already, labels: [true, false] },
    { policy: "Never", here: false, event: never, reason: reasonNever, labels: [false, "unknown"] },
    { policy: "Never", here: true, event: already, labels: [true, false] },
  ])("without records: $policy, here: $here", async ({ policy, here, event, reason, labels }) => {
    const { ensure, events, images } = setUp();
    if (here) images.local.set("nginx:1.27", nginx);
    const ensured = await ensure("nginx:1.27", policy);
    expect(events[0]).toBe(event);
    expect(ensured.failure?.reason).toBe(reason);
    if (reason === undefined) expect(ensured.imageId).toBe(nginx.image.id);
    expect(ensured.labels).toEqual({ pullPolicy: policy, presentLocally: labels[0], pullRequired: labels[1] });
  });

  const accessible = `${already} and can be accessed by the pod`;
  it.each<Row>([
    { policy: "IfNotPresent", here: true, access: "credentialPolicyAllowed", event: accessible, labels: [true, false] },
    { policy: "IfNotPresent", here: true, access: "credentialRecordFound", event: accessible, labels: [true, false] },
    { policy: "IfNotPresent", here: true, access: "mustAuthenticate", event: pulling, labels: [true, true] },
    { policy: "IfNotPresent", here: true, access: "error", event: pulling, labels: [true, true] },
    { policy: "Never", here: true, access: "credentialRecordFound", event: accessible, labels: [true, false] },
    {
      policy: "Never",
      here: true,
      access: "mustAuthenticate",
      event: never,
      reason: reasonNever,
      labels: [true, true],
    },
    { policy: "Never", here: false, event: never, reason: reasonNever, labels: [false, "unknown"] },
    { policy: "Always", here: true, access: "credentialRecordFound", event: pulling, labels: ["unknown", true] },
  ])("with records: $policy, $access", async ({ policy, here, access, event, reason, labels }) => {
    const { ensure, events, images } = setUp({ records: fakeRecords(access).records });
    if (here) images.local.set("nginx:1.27", nginx);
    const ensured = await ensure("nginx:1.27", policy);
    expect(events[0]).toBe(event);
    expect(ensured.failure?.reason).toBe(reason);
    expect(ensured.labels).toEqual({ pullPolicy: policy, presentLocally: labels[0], pullRequired: labels[1] });
  });

  it("says so if the runtime cannot tell what is here, with the empty name that the kubelet shows", async () => {
    const { ensure, events, images } = setUp();
    images.inspectFailure = new PulleyError("STORE_FAILED", "disk on fire");
    const ensured = await ensure("nginx:1.27");
    const message = 'Failed to inspect image "": disk on fire';
    expect(events).toEqual([`Warning InspectFailed: ${message}`]);
    expect(ensured.failure).toMatchObject({ reason: "ImageInspectError", message, advice: expect.any(String) });
    expect(ensured.labels).toMatchObject({ presentLocally: "unknown", pullRequired: "unknown" });
    expect(ensured.decision).toBeUndefined();
  });
});

describe("the name for the runtime", () => {
  const digest = `sha256:${"b".repeat(64)}`;
  it.each([
    ["nginx", "nginx:latest"],
    ["nginx:1.27", "nginx:1.27"],
    ["localhost:5000/app", "localhost:5000/app:latest"],
    [`nginx@${digest}`, `nginx@${digest}`],
    [`nginx:1.27@${digest}`, `nginx:1.27@${digest}`],
  ])("%s is %s", async (written, name) => {
    const { ensure, images, events } = setUp();
    await ensure(written, "Always");
    expect(images.pulls).toEqual([name]);
    expect(events[0]).toBe(`Normal Pulling: Pulling image "${written}"`);
  });

  it("is not made of what cannot be parsed", async () => {
    const { ensure, events, images } = setUp();
    const ensured = await ensure("http://nginx", "Always");
    const message =
      'Failed to apply default image tag "http://nginx": couldn\'t parse image name "http://nginx": invalid reference format';
    expect(events).toEqual([`Warning InspectFailed: ${message}`]);
    expect(ensured.failure).toMatchObject({ reason: "InvalidImageName", message });
    expect(ensured.labels).toEqual({ pullPolicy: "Always", presentLocally: "unknown", pullRequired: "unknown" });
    expect(images.pulls).toEqual([]);
  });
});

describe("a pull that fails", () => {
  it.each([
    { text: "denied", reason: "ErrImagePull", message: "denied" },
    { text: "registry unavailable", reason: "ErrImagePull", message: "registry unavailable" },
    {
      text: "RegistryUnavailable: try later",
      reason: "RegistryUnavailable",
      message: "image pull failed for nginx:1.27 because the registry is unavailable: try later",
    },
    {
      text: "SignatureValidationFailed: no signature",
      reason: "SignatureValidationFailed",
      message: "image pull failed for nginx:1.27 because the signature validation failed: no signature",
    },
  ])("$text: $reason", async ({ text, reason, message }) => {
    const { ensure, events, images, clock } = setUp();
    images.failures.set("nginx:1.27", text);
    const failed = await ensure("nginx:1.27");
    expect(failed.failure).toMatchObject({ reason, message, backOffUntil: 10_100 });
    expect(events).toEqual([pulling, `Warning Failed: Failed to pull image "nginx:1.27": ${text}`]);
    await clock.advance(5000);
    const backingOff = await ensure("nginx:1.27");
    expect(events.at(-1)).toBe('Normal BackOff: Back-off pulling image "nginx:1.27"');
    expect(backingOff.failure).toMatchObject({
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "nginx:1.27": ${reason}: ${message}`,
      backOffUntil: 10_100,
    });
  });

  it("is not one if the caller left", async () => {
    const { ensure, events } = setUp();
    const left = ensure("nginx:1.27", "Always", sourceOf(), AbortSignal.abort(new Error("left")));
    await expect(left).rejects.toThrow("left");
    expect(events).toEqual([pulling]);
  });
});

describe("logins", () => {
  it("are not asked for where nothing is pulled", async () => {
    const { ensure, images } = setUp();
    images.local.set("nginx:1.27", nginx);
    let asked = 0;
    const source = {
      logins: async () => {
        asked += 1;
        return [];
      },
    };
    await ensure("nginx:1.27", "IfNotPresent", source);
    expect(asked).toBe(0);
    await ensure("nginx:1.27", "Always", source);
    expect(asked).toBe(1);
  });

  it("are asked for at most once, with the normalised repository", async () => {
    const asked: string[] = [];
    const { records } = fakeRecords();
    records.access = async (_image, _ref, logins) => {
      await logins();
      return "mustAuthenticate";
    };
    const { ensure, images } = setUp({ records });
    images.local.set("nginx:1.27", nginx);
    await ensure("nginx:1.27", "IfNotPresent", {
      logins: async ({ name }) => {
        asked.push(name);
        return [];
      },
    });
    expect(asked).toEqual(["docker.io/library/nginx"]);
  });

  it("that cannot be found out are the reason themselves", async () => {
    const { ensure, events } = setUp();
    const source = { logins: () => Promise.reject(new PulleyError("CREDENTIALS_INVALID", "invalid character 'x'")) };
    const ensured = await ensure("nginx:1.27", "IfNotPresent", source);
    expect(ensured.failure).toMatchObject({ reason: "invalid character 'x'", message: "invalid character 'x'" });
    expect(events).toEqual([]);
  });

  it("that cannot be found out for the records are too", async () => {
    const { records } = fakeRecords();
    records.access = async (_image, _ref, logins) => {
      await logins();
      return "credentialRecordFound";
    };
    const { ensure, images } = setUp({ records });
    images.local.set("nginx:1.27", nginx);
    const ensured = await ensure("nginx:1.27", "Never", { logins: () => Promise.reject(new Error("broken")) });
    expect(ensured.failure?.reason).toBe("broken");
    expect(ensured.labels).toMatchObject({ presentLocally: true, pullRequired: "unknown" });
  });
});

describe("records", () => {
  it("hear of a pull's beginning and end, and of the login that was used", async () => {
    const { records, noted } = fakeRecords();
    const { ensure } = setUp({ records });
    await ensure("nginx", "Always", sourceOf(loginOf("regcred", "alice")));
    expect(noted).toEqual([
      "begin nginx:latest",
      expect.stringMatching(/^succeed nginx:latest sha256:... secret default\/regcred$/),
    ]);
  });

  it("hear of a failure, and of an attempt that came too early", async () => {
    const { records, noted } = fakeRecords();
    const { ensure, images } = setUp({ records });
    images.failures.set("nginx:1.27", "no");
    await ensure("nginx:1.27");
    await ensure("nginx:1.27");
    expect(noted).toEqual(["begin nginx:1.27", "fail nginx:1.27", "begin nginx:1.27", "fail nginx:1.27"]);
  });

  it("that cannot be written stop the pull", async () => {
    const { records } = fakeRecords();
    records.begin = () => Promise.reject(new PulleyError("STORE_FAILED", "read-only file system"));
    const { ensure, events } = setUp({ records });
    expect((await ensure("nginx:1.27")).failure).toMatchObject({
      reason: "read-only file system",
      message: 'Failed to record image pull intent for container image "nginx:1.27": read-only file system',
    });
    expect(events).toEqual([]);
  });
});

describe("a refusal by a rule", () => {
  it.each<RefusalReason>(["ImageDenied", "OutsidePullWindow", "RequirementNotMet", "CachedCopyTooOld"])(
    "%s is the reason, with a Failed event",
    async (reason) => {
      const refused: Decision = {
        action: "Refuse",
        reason,
        message: "not this one",
        trace: [],
        pending: [],
        trial: noTrial,
        pullPolicy: { value: "Always", from: "rule", because: "" },
      };
      const refusing: Prepare = (...asked) => {
        const prepared: Prepared = { ...prepare(...asked), decide: () => refused, under: () => prepared };
        return prepared;
      };
      const { ensure, events, images } = setUp({ prepare: refusing });
      expect((await ensure("nginx:1.27")).failure).toMatchObject({ reason, message: "not this one" });
      expect(events).toEqual(["Warning Failed: not this one"]);
      expect(images.pulls).toEqual([]);
    },
  );
});
