import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { type Channel, openChannel } from "../../src/support/grpc/client.ts";
import { type Daemon, startNode } from "./daemon.ts";

let folder: string;
let registry: Registry;
let daemon: Daemon;
let channel: Channel;

const policy = (message: string) => `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: test }
spec:
  rules:
    - name: not-these
      match: { images: ["127.0.0.1:*/denied/**"] }
      admit: Deny
      message: "${message}"
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-daemon-"));
  registry = await startRegistry({
    access: { users: { ann: "secret-of-ann" }, repositories: { "private/app": ["ann"] } },
  });
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 100_000 }] }));
  registry.addImage("denied/app:1", await buildImage({ layers: [{ filler: 1000 }], seed: "denied" }));
  registry.addImage("private/app:1", await buildImage({ layers: [{ filler: 1000 }], seed: "private" }));
  await writeFile(join(folder, "policy.yaml"), policy("these are not for us").replaceAll("127.0.0.1:*", registry.host));
  daemon = await startNode(
    folder,
    "--root",
    join(folder, "root"),
    "--policy",
    join(folder, "policy.yaml"),
    "--mirror",
    "127.0.0.1:0",
    "--metrics",
    "127.0.0.1:0",
    "--log-format",
    "json",
  );
  await daemon.until("the mirror listens");
  channel = openChannel(daemon.sockets.cri);
});

afterAll(async () => {
  channel.close();
  await daemon.end("SIGKILL");
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** Where a part of the daemon says that it listens. */
function addressIn(message: string): string {
  const lines = daemon
    .said()
    .split("\n")
    .filter((line) => line.includes(message));
  const { address } = JSON.parse(lines[0] ?? "{}") as { address?: string };
  return address ?? expect.unreachable(`no ${message} in the log`);
}

function pull(image: string, auth?: { username: string; password: string }) {
  return channel.unary(ImageService.method.pullImage, { image: { image }, ...(auth && { auth }) });
}

describe("a daemon without a runtime", () => {
  it("pulls for a kubelet, and tells of it in its commands, its metrics and its log", async () => {
    const image = `${registry.host}/team/app:1`;
    const { imageRef } = await pull(image);
    const { images } = await channel.unary(ImageService.method.listImages, {});
    expect(images.map(({ id }) => id)).toContain(imageRef);

    const listed = await daemon.ask("get", "images");
    expect(listed.stdout).toContain(`${registry.host}/team/app`);
    const metrics = await (await fetch(`http://${addressIn("metrics are served")}/metrics`)).text();
    expect(metrics).toMatch(/^kubelet_image_manager_ensure_image_requests_total\{.*\} [1-9]/m);
    expect(metrics).toMatch(/^kubelet_runtime_operations_total\{operation_type="pull_image"\} [1-9]/m);
    expect(metrics).toMatch(/^pulley_store_images 1$/m);
    const ready = await fetch(`http://${addressIn("metrics are served")}/readyz`);
    expect(ready.status).toBe(200);
  });

  it("shows no login anywhere, whether it is right or wrong", async () => {
    const image = `${registry.host}/private/app:1`;
    await pull(image, { username: "ann", password: "secret-of-ann" });
    await expect(pull(image, { username: "ann", password: "wrong-secret" })).rejects.toThrow(
      /401|authentication|unauthorized/i,
    );
    expect(daemon.said()).not.toMatch(/secret-of-ann|wrong-secret/);
  });

  it("obeys the policy, and goes by another as soon as the file changes; a broken one changes nothing", async () => {
    const image = `${registry.host}/denied/app:1`;
    await expect(pull(image)).rejects.toThrow("these are not for us");
    await writeFile(join(folder, "policy.yaml"), "kind: ImagePullPolicy\nspec: {rules: 1}\n");
    await daemon.until("is invalid: the old one stays in effect");
    await expect(pull(image)).rejects.toThrow("these are not for us");
    await writeFile(join(folder, "policy.yaml"), policy("nor is this").replaceAll("127.0.0.1:*", registry.host));
    await daemon.until("and the new one is in effect");
    await expect(pull(image)).rejects.toThrow("nor is this");
  });

  it("serves its images as a registry, by the same policy", async () => {
    const mirror = addressIn("the mirror listens");
    const manifest = (name: string) => fetch(`${mirror}/v2/${name}/manifests/1?ns=${registry.host}`);
    expect((await manifest("team/app")).status).toBe(200);
    expect((await manifest("private/app")).status).toBe(401);
    const denied = await manifest("denied/app");
    expect(denied.status).toBe(403);
    expect(await denied.text()).toContain("nor is this");
  });

  it("refuses to start twice on the same sockets, and says why", async () => {
    const root = join(folder, "root-of-another");
    await expect(startNode(folder, "--root", root)).rejects.toThrow(/ended before|did not say/);
    expect((await daemon.ask("get", "images")).status).toBe(0);
  });

  it("ends cleanly", async () => {
    expect(await daemon.end()).toBe(0);
    expect(existsSync(daemon.sockets.cri)).toBe(false);
    expect(existsSync(daemon.sockets.api)).toBe(false);
    const after = await daemon.ask("get", "pods");
    expect(after.status).toBe(3);
    expect(after.stderr).toContain("Start the daemon with pulley node");
  });
});
