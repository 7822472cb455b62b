/** Programs that people use with registries, pulling through the mirror from Debian's registry. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import type { TestMirror } from "../../src/mirror/testing/mirror.ts";
import { openChannel } from "../../src/support/grpc/client.ts";
import {
  busyboxImage,
  type Containerd,
  containerdTools,
  type DockerRegistry,
  describeWith,
  run,
  skopeoCopy,
  startContainerd,
  startDockerRegistry,
} from "../tools.ts";
import { realMirror } from "./real-mirror.ts";

const login = { username: "alice", password: "pa55-of-alice" };
const credentials = `${login.username}:${login.password}`;

/** Two registries with an image each: one for everybody, one for alice. */
interface Upstream {
  readonly open: DockerRegistry;
  readonly guarded: DockerRegistry;
  readonly folder: string;
  stop(): Promise<void>;
}

async function startUpstream(): Promise<Upstream> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-mirror-clients-"));
  const [open, guarded] = await Promise.all([startDockerRegistry(), startDockerRegistry({ htpasswd: login })]);
  for (const { host } of [open, guarded]) {
    const archive = join(folder, `${host.replace(":", "-")}.tar`);
    const files = [{ path: "etc/upstream", content: host }];
    const image = await busyboxImage({ config: { Labels: { upstream: host } }, layers: [files] });
    await writeFile(archive, image.archive("shop/app:1"));
    const more = host === guarded.host ? { destinationLogin: credentials } : {};
    await skopeoCopy(`oci-archive:${archive}`, `docker://${host}/shop/app:1`, more);
  }
  const stop = async () => {
    await Promise.all([open.stop(), guarded.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  return { open, guarded, folder, stop };
}

/** What a registry was asked to send since the beginning of the list; what clients ask to find their way is left out. */
async function sent(registry: DockerRegistry, since: number): Promise<readonly string[]> {
  const requests = (await registry.requests()).slice(since);
  return requests.filter((request) => /^GET \S+\/(?:blobs|manifests)\/\S+ 200$/.test(request)).sort();
}

/** The image under the mirror's own host: a port of the registry is written after an underscore. */
function through({ mirror }: TestMirror, { host }: DockerRegistry): string {
  return `${mirror.address}/${host.replace(":", "_")}/shop/app:1`;
}

function withoutTwice(requests: readonly string[]): readonly string[] {
  return [...new Set(requests)];
}

describeWith(["docker-registry", "skopeo", "perl", "busybox"], "skopeo, through the mirror", ({ skopeo }) => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream?.stop());

  test("copies an image of everybody's, ten times at once, for one download", async () => {
    const mirror = await realMirror();
    const before = (await upstream.open.requests()).length;
    const copy = (at: number) =>
      skopeoCopy(`docker://${through(mirror, upstream.open)}`, `oci:${join(upstream.folder, `open-${at}`)}:1`);
    await Promise.all(Array.from({ length: 10 }, (_, at) => copy(at)));
    const requests = await sent(upstream.open, before);
    expect(requests).toEqual(withoutTwice(requests));
    expect(requests.filter((request) => request.includes("/blobs/"))).toHaveLength(3);
  });

  test("copies alice's image with her login, and with no other", async () => {
    const mirror = await realMirror();
    const from = `docker://${through(mirror, upstream.guarded)}`;
    const to = `oci:${join(upstream.folder, "guarded")}:1`;
    await expect(skopeoCopy(from, to)).rejects.toThrow(/unauthorized|authentication required/i);
    await expect(skopeoCopy(from, to, { sourceLogin: "bob:guess" })).rejects.toThrow(/unauthorized|invalid username/i);
    await skopeoCopy(from, to, { sourceLogin: credentials });
    // All of it is here now, and still hers.
    await expect(skopeoCopy(from, to)).rejects.toThrow(/unauthorized|authentication required/i);
    const before = (await upstream.guarded.requests()).length;
    await skopeoCopy(from, to, { sourceLogin: credentials });
    expect(await sent(upstream.guarded, before)).toEqual([]);
  });

  test("lists tags and looks at images", async () => {
    const mirror = await realMirror();
    const name = through(mirror, upstream.open).replace(/:1$/, "");
    const tags = await run(skopeo, ["list-tags", "--tls-verify=false", `docker://${name}`]);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ["1"] });
    const seen = await run(skopeo, ["inspect", "--tls-verify=false", `docker://${name}:1`]);
    expect(JSON.parse(seen)).toMatchObject({ Labels: { upstream: upstream.open.host } });
  });
});

describeWith(["docker-registry", "skopeo", "perl", "busybox", "crane"], "crane, through the mirror", ({ crane }) => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream?.stop());

  test("pulls and validates an image of everybody's and, with her login, one of alice's", async () => {
    const mirror = await realMirror();
    const config = join(upstream.folder, "docker");
    const auths = { [mirror.mirror.address]: { auth: Buffer.from(credentials).toString("base64") } };
    await mkdir(config, { recursive: true });
    await writeFile(join(config, "config.json"), JSON.stringify({ auths }));
    const nobody = { DOCKER_CONFIG: upstream.folder };
    await run(crane, ["validate", "--insecure", "--remote", through(mirror, upstream.open)], nobody);
    const guarded = through(mirror, upstream.guarded);
    await expect(run(crane, ["manifest", "--insecure", guarded], nobody)).rejects.toThrow(/UNAUTHORIZED/);
    await run(crane, ["validate", "--insecure", "--remote", guarded], { DOCKER_CONFIG: config });
    const listed = await run(crane, ["ls", "--insecure", guarded.replace(/:1$/, "")], { DOCKER_CONFIG: config });
    expect(listed.trim()).toBe("1");
  });
});

describeWith(["docker-registry", "skopeo", "perl", ...containerdTools], "containerd, through the mirror", () => {
  let upstream: Upstream;
  let containerd: Containerd;
  beforeAll(async () => {
    [upstream, containerd] = await Promise.all([startUpstream(), startContainerd()]);
  });
  afterAll(async () => {
    await containerd?.stop();
    await upstream?.stop();
  });

  /** The mirror in the place of the registry, and nobody behind it. */
  async function pointAt({ mirror }: TestMirror, { host }: DockerRegistry): Promise<void> {
    const folder = join(containerd.certsDir, host);
    await mkdir(folder, { recursive: true });
    const table = `[host."${mirror.url}"]\n  capabilities = ["pull", "resolve"]\n`;
    await writeFile(join(folder, "hosts.toml"), `server = "${mirror.url}"\n\n${table}`);
  }

  async function pull({ host }: DockerRegistry, auth?: { readonly username: string; readonly password: string }) {
    const channel = openChannel(containerd.socket);
    try {
      const request = { image: { image: `${host}/shop/app:1` }, ...(auth && { auth }) };
      return await channel.unary(ImageService.method.pullImage, request, { timeout: 30_000 });
    } finally {
      channel.close();
    }
  }

  /** Removes every image, and waits until what they consisted of is gone. */
  async function forget(): Promise<void> {
    const images = (await containerd.ctr(["images", "ls", "--quiet"])).split("\n").filter(Boolean);
    if (images.length > 0) await containerd.ctr(["images", "rm", "--sync", ...images]);
    expect((await containerd.ctr(["content", "ls", "--quiet"])).trim()).toBe("");
  }

  test("pulls through the CRI, tells the registry that it means, and finds all in the store when it comes again", async () => {
    const mirror = await realMirror();
    await pointAt(mirror, upstream.open);
    await forget();
    const before = (await upstream.open.requests()).length;
    const { imageRef } = await pull(upstream.open);
    const requests = await sent(upstream.open, before);
    expect(requests).toEqual(withoutTwice(requests));
    expect(requests.filter((request) => request.includes("/blobs/"))).toHaveLength(3);
    const named = [{ id: imageRef, repoTags: [`${upstream.open.host}/shop/app:1`] }];
    await expect.poll(() => mirror.store.images(), { interval: 10 }).toMatchObject(named);
    await forget();
    const again = (await upstream.open.requests()).length;
    expect((await pull(upstream.open)).imageRef).toBe(imageRef);
    expect(await sent(upstream.open, again)).toEqual([]);
  });

  test("pulls a private image with the login of its pod, and without one not even from the store", async () => {
    const mirror = await realMirror();
    await pointAt(mirror, upstream.guarded);
    await expect(pull(upstream.guarded)).rejects.toThrow(/authorization failed|401|unauthorized/i);
    const { imageRef } = await pull(upstream.guarded, login);
    expect(imageRef).toMatch(/^sha256:/);
    await forget();
    await expect(pull(upstream.guarded)).rejects.toThrow(/authorization failed|401|unauthorized/i);
    expect((await pull(upstream.guarded, login)).imageRef).toBe(imageRef);
  });
});
