/** A daemon over a store in which an earlier version left wrong bytes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { misorder } from "../../src/store/testing/old-store.ts";
import { pulley } from "../e2e/pulley.ts";
import { startNode } from "./daemon.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-scrub-"));
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

it("finds them, fetches them again, and counts that", async () => {
  const image = await buildImage({ layers: [{ filler: 600_000 }, { filler: 300_000 }] });
  registry.addImage("team/app:1", image);
  const root = join(folder, "root");
  await pulley(["pull", "--root", root, `${registry.host}/team/app:1`]);
  const [layer] = image.manifests[0]?.layers ?? [];
  await misorder(root, layer?.digest ?? expect.unreachable());

  const args = ["--root", root, "--metrics", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug"];
  const daemon = await startNode(folder, ...args, "--scrub-rate", "100Mi");
  try {
    await daemon.until("the store has been read");
    expect(daemon.said()).toContain(`${layer?.digest} is damaged`);
    expect(daemon.said()).toContain("content was fetched again");
    const [, address = ""] = /"address":"([^"]+)"/.exec(daemon.said()) ?? [];
    const response = await fetch(`http://${address}/metrics`);
    const text = await response.text();
    expect(text).toContain('pulley_store_scrubbed_blobs_total{state="damaged"} 1\n');
    expect(text).toMatch(/pulley_store_scrubbed_blobs_total\{state="sound"\} 3\n/);
    expect(text).toMatch(/pulley_store_scrubbed_bytes_total [3-9]\d{5}\n/);
    expect(text).toContain("pulley_store_scrub_repairs_total 1\n");
    expect(text).toMatch(/pulley_store_scrub_last_finished_timestamp_seconds \d{10}/);
  } finally {
    await daemon.end("SIGTERM");
  }
  expect(await pulley(["verify", "--root", root])).toMatchObject({ status: 0 });
  // It is not read again before its time; off, it is never read.
  for (const every of ["7d", "off"]) {
    const again = await startNode(folder, ...args, "--scrub-every", every);
    expect(await again.end("SIGTERM")).toBe(0);
    expect(again.said()).not.toContain("is damaged");
  }
});

it("does not start with an interval or a rate that is none", async () => {
  for (const flags of [
    ["--scrub-every", "soon"],
    ["--scrub-every", "1s"],
    ["--scrub-rate", "fast"],
    ["--scrub-rate", "1"],
  ]) {
    const { status, stderr } = await pulley(["node", ...flags]);
    expect(status).toBe(2);
    expect(stderr).toContain(flags[0]);
  }
});
