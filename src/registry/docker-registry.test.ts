/** Against the registry that most others descend from, with what it serves put there by skopeo. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Certificates,
  type DockerRegistry,
  describeWith,
  makeCertificates,
  skopeoCopy,
  startDockerRegistry,
} from "../../test/tools.ts";
import { ociManifest, parseReference, parseTag } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, someBytes } from "./testing.ts";

const layer = gzipSync(someBytes(3_000_000));
const config = Buffer.from(
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(someBytes(3_000_000)).digest("hex")}`] },
  }),
);
const layerDescriptor = describeBytes(layer, "application/vnd.oci.image.layer.v1.tar+gzip");
const configDescriptor = describeBytes(config, "application/vnd.oci.image.config.v1+json");
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config: configDescriptor, layers: [layerDescriptor] }),
);
const manifestDescriptor = describeBytes(manifest, ociManifest);
const tag = parseTag("1");

/** An OCI image layout with the image in it. */
function writeLayout(folder: string): void {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  for (const bytes of [layer, config, manifest])
    writeFileSync(join(blobs, describeBytes(bytes).digest.slice(7)), bytes);
  const named = { ...manifestDescriptor, annotations: { "org.opencontainers.image.ref.name": "1" } };
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

describeWith(["docker-registry", "skopeo", "openssl", "perl"], "docker-registry", () => {
  let folder = "";
  let certificates: Certificates;
  const running: DockerRegistry[] = [];
  const password = "s3cret";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-real-registry-"));
    writeLayout(join(folder, "layout"));
    certificates = await makeCertificates(join(folder, "certificates"));
  });

  afterAll(async () => {
    for (const registry of running) await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(options: Parameters<typeof startDockerRegistry>[0] = {}): Promise<DockerRegistry> {
    const registry = await startDockerRegistry(options);
    running.push(registry);
    return registry;
  }

  function appOn({ host }: DockerRegistry) {
    return parseReference(`${host}/team/app`).repository;
  }

  describe("without a login", () => {
    let registry: DockerRegistry;
    beforeAll(async () => {
      registry = await start();
      await skopeoCopy(`oci:${folder}/layout:1`, `docker://${registry.host}/team/app:1`);
    });

    it("answers an unchanged image with one HEAD", async () => {
      const before = (await registry.requests()).length;
      expect(await client().resolve({ repository: appOn(registry), version: tag }, {})).toEqual(manifestDescriptor);
      expect((await registry.requests()).slice(before)).toEqual(["HEAD /v2/team/app/manifests/1 200"]);
    });

    it("gives the whole image", async () => {
      const asking = client();
      const repository = appOn(registry);
      const fetched = await asking.manifest({ repository, version: manifestDescriptor.digest }, {});
      expect(fetched).toEqual({ descriptor: manifestDescriptor, bytes: manifest });
      expect(await asking.blob(repository, configDescriptor, 1_000_000, {})).toEqual(config);
      const path = join(temporaryFolder(), "layer");
      await asking.download(repository, { descriptor: layerDescriptor, path }, {});
      expect(readFileSync(path).equals(layer)).toBe(true);
      expect(await asking.tags(repository, {})).toEqual(["1"]);
    });

    it("goes on with a download", async () => {
      const path = join(temporaryFolder(), "layer");
      writeFileSync(path, layer.subarray(0, 1000));
      const received: number[] = [];
      const onProgress = ({ resumed }: { resumed: number }) => received.push(resumed);
      await client().download(appOn(registry), { descriptor: layerDescriptor, path }, { onProgress });
      expect(readFileSync(path).equals(layer)).toBe(true);
      expect(received.at(-1)).toBe(1000);
      expect(await registry.requests()).toContainEqual(expect.stringMatching(/GET .*blobs.* 206$/));
    });

    it("says what it does not know", async () => {
      const repository = appOn(registry);
      await expect(client().resolve({ repository, version: parseTag("2") }, {})).rejects.toMatchObject({
        code: "REGISTRY_NOT_FOUND",
        message: expect.stringContaining("MANIFEST_UNKNOWN: manifest unknown"),
      });
      const path = join(temporaryFolder(), "layer");
      const missing = { descriptor: describeBytes(Buffer.from("missing")), path };
      await expect(client().download(repository, missing, {})).rejects.toMatchObject({
        code: "REGISTRY_NOT_FOUND",
        message: expect.stringContaining("BLOB_UNKNOWN"),
      });
    });
  });

  it("with a login lets in who has it, and nobody else", async () => {
    const registry = await start({ htpasswd: { username: "ann", password } });
    await skopeoCopy(`oci:${folder}/layout:1`, `docker://${registry.host}/team/app:1`, {
      destinationLogin: `ann:${password}`,
    });
    const location = { repository: appOn(registry), version: tag };
    const loginWith = (word: string) => new Login("test", { kind: "password", username: "ann", password: word });
    expect(await client().resolve(location, { login: loginWith(password) })).toEqual(manifestDescriptor);
    await expect(client().resolve(location, { login: loginWith("wrong") })).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    await expect(client().resolve(location, {})).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  });

  it("with TLS is trusted by its authority in docker's layout, and not without", async () => {
    const storage = join(folder, "storage");
    const plain = await start({ storage });
    await skopeoCopy(`oci:${folder}/layout:1`, `docker://${plain.host}/team/app:1`);
    const registry = await start({ storage, tls: { ...certificates.server, clientAuthority: certificates.authority } });
    const location = { repository: appOn(registry), version: tag };

    await expect(client().resolve(location, {})).rejects.toMatchObject({
      code: "REGISTRY_TLS",
      advice: expect.stringContaining("speaks TLS"),
    });

    const certDir = join(folder, "certs.d");
    const own = join(certDir, registry.host);
    mkdirSync(own, { recursive: true });
    await copyFile(certificates.client.certificate, join(own, "client.cert"));
    await copyFile(certificates.client.key, join(own, "client.key"));
    await expect(client({ certDirs: [certDir] }).resolve(location, {})).rejects.toMatchObject({ code: "REGISTRY_TLS" });

    await copyFile(certificates.authority, join(own, "ca.crt"));
    expect(await client({ certDirs: [certDir] }).resolve(location, {})).toEqual(manifestDescriptor);

    await rm(join(own, "client.cert"));
    await expect(client({ certDirs: [certDir] }).resolve(location, {})).rejects.toMatchObject({ code: "REGISTRY_TLS" });
  });
});
