/** TLS of a `hosts.toml`, with a real containerd and a real registry that asks its clients for a certificate. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../examples/world/image-builder.ts";
import { startRegistry } from "../examples/world/registry.ts";
import { ImageService } from "../src/cri/api/runtime/v1/api_pb.js";
import { openHostsDirectory } from "../src/hosts/index.ts";
import { parseReference } from "../src/image/index.ts";
import { createRegistryClient } from "../src/registry/index.ts";
import { openChannel } from "../src/support/grpc/client.ts";
import { type Containerd, containerdTools, startContainerd } from "./containerd.ts";
import {
  type Certificates,
  type DockerRegistry,
  describeWith,
  makeCertificates,
  skopeoCopy,
  startDockerRegistry,
} from "./tools.ts";

/** The registry in the images' names; there is none at this address. */
const name = "registry.invalid";

describeWith([...containerdTools, "docker-registry", "skopeo", "openssl"], "containerd and a registry with TLS", () => {
  let folder: string;
  let certificates: Certificates;
  let containerd: Containerd;
  let guarded: DockerRegistry;
  let secure: DockerRegistry;
  let plain: DockerRegistry;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-containerd-hosts-"));
    certificates = await makeCertificates(join(folder, "certificates"));
    const world = await startRegistry();
    world.addImage("app:1", await buildImage({ layers: [{ files: { "etc/app": "app\n" } }] }));
    const storage = join(folder, "storage");
    plain = await startDockerRegistry({ storage });
    await skopeoCopy(`docker://${world.host}/app:1`, `docker://${plain.host}/app:1`);
    await world.close();
    const tls = certificates.server;
    guarded = await startDockerRegistry({ storage, tls: { ...tls, clientAuthority: certificates.authority } });
    secure = await startDockerRegistry({ storage, tls });
    containerd = await startContainerd();
  });

  afterAll(async () => {
    await containerd?.stop();
    for (const registry of [guarded, secure, plain]) await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Whether each of the two can have the image: containerd pulls it, and Pulley asks what its name stands for. */
  async function outcomes(text: string) {
    await mkdir(join(containerd.certsDir, name), { recursive: true });
    await writeFile(join(containerd.certsDir, name, "hosts.toml"), text);
    await containerd.ctr(["images", "rm", `${name}/app:1`]).catch(() => undefined);
    const succeeds = (work: Promise<unknown>) => work.then(() => true).catch(() => false);
    const channel = openChannel(containerd.socket);
    const hosts = openHostsDirectory([containerd.certsDir]);
    const registry = createRegistryClient({ hosts });
    try {
      const { repository, tag } = parseReference(`${name}/app:1`);
      const [first] = hosts.hostsOf(name)?.hosts ?? [];
      const image = { image: `${name}/app:1` };
      return {
        containerd: await succeeds(channel.unary(ImageService.method.pullImage, { image }, { timeout: 60_000 })),
        pulley:
          tag !== undefined &&
          (await succeeds(registry.resolve({ repository, version: tag }, { mirror: first?.address, noRetry: true }))),
      };
    } finally {
      channel.close();
      await registry.close();
    }
  }

  const ca = () => `ca = ${JSON.stringify(certificates.authority)}\n`;
  const own = () => `client = [${JSON.stringify([certificates.client.certificate, certificates.client.key])}]\n`;
  const table = (address: string, ...lines: readonly string[]) => `[host."${address}"]\n${lines.join("")}`;
  const asHttp = ({ host }: DockerRegistry) => `http://${host}`;

  it.each<[string, () => string, boolean]>([
    ["its authority and a certificate of ours", () => table(guarded.url, ca(), own()), true],
    ["no certificate of ours", () => table(guarded.url, ca()), false],
    ["no authority", () => table(guarded.url, own()), false],
    ["nobody to trust", () => table(secure.url), false],
    ["nothing verified", () => table(secure.url, "skip_verify = true\n"), true],
    ["a certificate of ours and nothing verified", () => table(guarded.url, own(), "skip_verify = true\n"), true],
    ["http written for https", () => table(asHttp(secure)), false],
    ["https written for http", () => table(`https://${plain.host}`, ca()), false],
    ["http, with an authority that is of no use", () => table(asHttp(plain), ca()), true],
    ["http, with nothing to verify", () => table(asHttp(plain), "skip_verify = true\n"), true],
  ])("agree with %s", async (_, text, expected) => {
    expect(await outcomes(text())).toEqual({ containerd: expected, pulley: expected });
  });

  /** containerd 1.6 does not; since when it does is for newer ones to show. */
  it("are to try https first with http and an authority", async () => {
    expect(await outcomes(table(asHttp(secure), ca()))).toMatchObject({ pulley: true });
  });
});
