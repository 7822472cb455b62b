import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { get as httpsGet } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type DockerRegistry,
  describeWith,
  makeCertificates,
  requiredTool,
  run,
  skopeoCopy,
  startDockerRegistry,
  tool,
} from "./tools.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-tools-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("tool", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("finds a program by its name", () => {
    expect(tool("sh")).toMatch(/^\/.*\/sh$/);
  });

  test("knows what is not there", () => {
    vi.stubEnv("PULLEY_REQUIRE_TOOLS", "");
    expect(tool("no-such-program")).toBeUndefined();
  });

  test("does not take a folder for a program", async () => {
    vi.stubEnv("PULLEY_REQUIRE_TOOLS", "");
    await mkdir(join(folder, "folder-only"));
    vi.stubEnv("PATH", folder);
    expect(tool("folder-only")).toBeUndefined();
  });

  test("fails on a missing program where every tool is asked for", () => {
    vi.stubEnv("PULLEY_REQUIRE_TOOLS", "1");
    expect(() => tool("no-such-program")).toThrow(/no-such-program is not installed/);
  });
});

describeWith(["docker-registry", "perl"], "a docker-registry", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: { username: "ann", password: "open:sesame" } });
  });
  afterAll(() => registry.stop());

  test("lets in the one login, and nobody else", async () => {
    const login = Buffer.from("ann:open:sesame").toString("base64");
    const right = await fetch(`${registry.url}/v2/`, { headers: { authorization: `Basic ${login}` } });
    const wrong = await fetch(`${registry.url}/v2/`);
    expect([right.status, wrong.status]).toEqual([200, 401]);
  });

  test("tells which requests it had", async () => {
    await fetch(`${registry.url}/v2/some/name/manifests/tag`);
    expect(await registry.requests()).toContain("GET /v2/some/name/manifests/tag 401");
  });

  test("says why it does not start", async () => {
    const missing = join(folder, "missing.pem");
    await expect(startDockerRegistry({ tls: { certificate: missing, key: missing } })).rejects.toThrow(/missing\.pem/);
  });
});

describeWith(["docker-registry", "openssl"], "a docker-registry with TLS", () => {
  test("is trusted through the authority, from those with a client certificate only", async () => {
    const certificates = await makeCertificates(join(folder, "certificates"));
    const registry = await startDockerRegistry({
      tls: { ...certificates.server, clientAuthority: certificates.authority },
    });
    try {
      const ca = await readFile(certificates.authority, "utf8");
      const cert = await readFile(certificates.client.certificate, "utf8");
      const key = await readFile(certificates.client.key, "utf8");
      expect(await status(`${registry.url}/v2/`, { ca, cert, key })).toBe(200);
      await expect(status(`${registry.url}/v2/`, { ca })).rejects.toThrow(/certificate|reset|hang up/);
      await expect(status(`${registry.url}/v2/`, { cert, key })).rejects.toThrow(/certificate/);
    } finally {
      await registry.stop();
    }
  });
});

describeWith(["docker-registry", "skopeo", "umoci"], "skopeo", () => {
  test("copies into a registry whose storage outlives it", async () => {
    const storage = join(folder, "storage");
    const layout = join(folder, "layout");
    await makeEmptyImage(layout);
    const first = await startDockerRegistry({ storage });
    await skopeoCopy(`oci:${layout}:one`, `docker://${first.host}/team/app:one`);
    await first.stop();
    const second = await startDockerRegistry({ storage });
    try {
      const answer = await fetch(`${second.url}/v2/team/app/tags/list`);
      expect(await answer.json()).toEqual({ name: "team/app", tags: ["one"] });
    } finally {
      await second.stop();
    }
  });
});

async function makeEmptyImage(layout: string): Promise<void> {
  await run(requiredTool("umoci"), ["init", "--layout", layout]);
  await run(requiredTool("umoci"), ["new", "--image", `${layout}:one`]);
}

function status(url: string, options: { ca?: string; cert?: string; key?: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpsGet(url, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}
