/** Failing over between real registries, with TLS and client certificates, as a `hosts.toml` says. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../examples/world/registry.ts";
import { pulley } from "./e2e/pulley.ts";
import {
  type Certificates,
  type DockerRegistry,
  describeWith,
  makeCertificates,
  skopeoCopy,
  startDockerRegistry,
} from "./tools.ts";

describeWith(["docker-registry", "skopeo", "openssl"], "real registries with TLS", () => {
  let folder: string;
  let certificates: Certificates;
  let origin: Registry;
  let mirror: DockerRegistry;
  let empty: DockerRegistry;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-hosts-"));
    certificates = await makeCertificates(join(folder, "certificates"));
    origin = await startRegistry();
    origin.addImage("team/app:1", await buildImage({ layers: [{ filler: 2_500_000 }, { filler: 10_000 }] }));
    const storage = join(folder, "storage");
    const plain = await startDockerRegistry({ storage });
    await skopeoCopy(`docker://${origin.host}/team/app:1`, `docker://${plain.host}/team/app:1`);
    await plain.stop();
    const tls = { ...certificates.server, clientAuthority: certificates.authority };
    mirror = await startDockerRegistry({ storage, tls });
    empty = await startDockerRegistry({ tls: certificates.server });
  });

  afterAll(async () => {
    await origin?.close();
    await mirror?.stop();
    await empty?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function pulled(text: string) {
    const root = await mkdtemp(join(folder, "hosts-"));
    await mkdir(join(root, origin.host));
    await writeFile(join(root, origin.host, "hosts.toml"), text);
    const store = await mkdtemp(join(folder, "root-"));
    const before = origin.log.length;
    const result = await pulley(["pull", "--root", store, "--hosts-dir", root, `${origin.host}/team/app:1`]);
    return { ...result, asked: origin.log.length - before };
  }

  const table = (url: string, ...lines: readonly string[]) => `[host."${url}"]\n${lines.join("\n")}\n`;
  const ca = () => `ca = ${JSON.stringify(certificates.authority)}`;
  const own = () => `client = [${JSON.stringify([certificates.client.certificate, certificates.client.key])}]`;

  it("are asked in the order of the file, and the one with the image sends it to whoever shows the certificate", async () => {
    const { status, asked } = await pulled(table(empty.url, ca()) + table(mirror.url, ca(), own()));
    expect({ status, asked }).toEqual({ status: 0, asked: 0 });
    expect((await empty.requests()).map((line) => line.replace(/\?.*(?= )/, ""))).toContain(
      "HEAD /v2/team/app/manifests/1 404",
    );
  });

  it.each([
    ["no certificate", () => [ca()]],
    ["no authority", () => [own()]],
    ["an authority that is not there", () => ['ca = "missing.crt"', own()]],
  ])("that get %s leave it to the registry itself", async (_, lines) => {
    const { status, asked } = await pulled(table(mirror.url, ...lines()));
    expect(status).toBe(0);
    expect(asked).toBeGreaterThan(0);
  });

  it("say what each of them said where none has the image", async () => {
    const text = `server = "${empty.url}"\n${ca()}\n${table(mirror.url, ca())}`;
    const { status, stderr, asked } = await pulled(text);
    expect({ status, asked }).toEqual({ status: 1, asked: 0 });
    expect(stderr).toContain(`mirror ${mirror.url}`);
    expect(stderr).toContain("404 Not Found");
  });
});
