/**
 * A registry on the public internet, or so it seems: `registry.invalid` is behind a proxy, and speaks TLS. It has no
 * business sending us into the clear or to places that only we can reach.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Certificates, describeWith, makeCertificates } from "../tools.ts";
import { challenge, type Fault, fine, json, redirect, type Subject, when } from "./faults.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import type { Storm } from "./storm.ts";
import {
  expectEmpty,
  expectFailure,
  expectNoLogin,
  login,
  openVictim,
  type Victim,
  type Weather,
  weather,
} from "./victim.ts";

interface Way {
  readonly title: string;
  /** Bytes of the layer: large ones are fetched by threads. */
  readonly filler: number;
  readonly workerScript?: URL;
}

const ways: readonly Way[] = [
  { title: "a public registry", filler: 1000 },
  {
    title: "a public registry whose layers are fetched by threads",
    filler: 1_100_000,
    workerScript: new URL("../../dist/download-worker.mjs", import.meta.url),
  },
];

for (const way of ways) {
  if (way.workerScript === undefined || existsSync(way.workerScript)) {
    describeWith(["openssl"], way.title, () => testPublicRegistry(way));
  }
}

function testPublicRegistry({ filler, workerScript }: Way): void {
  let folder: string;
  let image: BuiltImage;
  let certificates: Certificates;
  let tls: { cert: string; key: string };
  let sky: Weather;
  let proxy: Proxy;
  let victim: Victim;
  /** Somebody on this machine who ought to be left in peace. */
  let neighbour: Storm;

  beforeAll(async () => {
    image = await buildImage({ layers: [{ filler }] });
    folder = await mkdtemp(join(tmpdir(), "pulley-public-"));
    certificates = await makeCertificates(folder, ["registry.invalid", "cdn.invalid", "auth.invalid"]);
    tls = {
      cert: await readFile(certificates.server.certificate, "utf8"),
      key: await readFile(certificates.server.key, "utf8"),
    };
    await mkdir(join(folder, "certs.d", "registry.invalid"), { recursive: true });
    await copyFile(certificates.authority, join(folder, "certs.d", "registry.invalid", "ca.crt"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    sky = weather();
    neighbour = await sky.storm({ image });
  });
  afterEach(async () => {
    await victim.close();
    await proxy.close();
    await sky.clear();
  });

  /** A registry, a CDN and a token service, each under its own name, and a victim that can reach them. */
  async function publish(faults: Partial<Record<Subject, Fault>>) {
    const registry = await sky.storm({ image, faults, tls });
    const cdn = await sky.storm({ image, tls });
    const auth = await sky.storm({ image, tls });
    proxy = await startProxy({ "registry.invalid": registry.port, "cdn.invalid": cdn.port, "auth.invalid": auth.port });
    const certDirs = [join(folder, "certs.d")];
    victim = await openVictim({
      ...(workerScript && { workerScript }),
      environment: { HTTPS_PROXY: proxy.url },
      certDirs,
    });
    return { registry, cdn, auth };
  }

  function guardedBy(realm: string): Fault {
    return challenge([`Bearer realm="${realm}",service="weather"`], (given) => given === "Bearer a-token");
  }

  test("has its image pulled", async () => {
    const gate = guardedBy("https://auth.invalid/token");
    const { auth, cdn } = await publish({
      manifest: gate,
      config: gate,
      layer: redirect(({ path }) => `https://cdn.invalid${path}`),
    });
    await victim.pull("registry.invalid/team/app:1", login);
    expect(auth.about("token").length).toBeGreaterThan(0);
    expect(cdn.about("layer")).toHaveLength(1);
    expectNoLogin(cdn);
  });

  const privatePlaces = [
    "https://10.0.0.1/token",
    "https://172.16.0.1/token",
    "https://192.168.1.1/token",
    "https://100.64.0.1/token",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/token",
    "https://2130706433/token",
    "https://0x7f.1/token",
    "https://0.0.0.0/token",
    "https://localhost/token",
    "https://[::1]/token",
    "https://[::]/token",
    "https://[::ffff:127.0.0.1]/token",
    "https://[::ffff:a9fe:a9fe]/token",
    "https://[fe80::1]/token",
    "https://[fd00::1]/token",
    "https://[64:ff9b::a00:1]/token",
  ];

  test.each(privatePlaces)("may not have its tokens at %s", async (realm) => {
    await publish({ manifest: guardedBy(realm) });
    const error = await victim.failure("registry.invalid/team/app:1", login);
    expectFailure(error, { code: ["TOKEN_REFUSED", "REDIRECT_REFUSED"], side: /private|clear/ });
    expect(new Set(proxy.targets)).toEqual(new Set(["registry.invalid:443"]));
  });

  test.each(privatePlaces)("may not have its layers at %s", async (place) => {
    await publish({ layer: redirect(place) });
    const error = await victim.failure("registry.invalid/team/app:1", login);
    expectFailure(error, { code: "REDIRECT_REFUSED", side: /private/ });
    expect(new Set(proxy.targets)).toEqual(new Set(["registry.invalid:443"]));
    await expectEmpty(victim);
  });

  test("may not send us to a neighbour on this machine, by any of its names", async () => {
    for (const host of ["127.0.0.1", "localhost", "0.0.0.0"]) {
      await publish({ layer: redirect(`https://${host}:${neighbour.port}/`) });
      const error = await victim.failure("registry.invalid/team/app:1");
      expectFailure(error, { code: "REDIRECT_REFUSED", side: /private/ });
      await victim.close();
      await proxy.close();
    }
    expect(neighbour.asked).toEqual([]);
  });

  test.each(["http://auth.invalid/token", "http://registry.invalid/token", "http://127.0.0.1/token"])(
    "may not have the login in the clear at %s (CVE-2019-10214)",
    async (realm) => {
      await publish({ manifest: guardedBy(realm) });
      const error = await victim.failure("registry.invalid/team/app:1", login);
      expectFailure(error, { code: "TOKEN_REFUSED", side: "registry.invalid", says: /clear/ });
      expect(new Set(proxy.targets)).toEqual(new Set(["registry.invalid:443"]));
    },
  );

  test.each<Subject>(["manifest", "config", "layer"])("may not send us into the clear for a %s", async (subject) => {
    await publish({ [subject]: redirect(({ path }) => `http://cdn.invalid${path}`) });
    const error = await victim.failure("registry.invalid/team/app:1", login);
    expectFailure(error, { code: "REDIRECT_REFUSED", side: "registry.invalid", says: /plain HTTP/ });
    await expectEmpty(victim);
  });

  test("may not send us into the clear on the second step either", async () => {
    const { cdn } = await publish({
      layer: when(
        ({ path }) => !path.includes("?"),
        redirect(({ path }) => `https://registry.invalid${path}?2`),
      ),
    });
    await victim.pull("registry.invalid/team/app:1");
    expectNoLogin(cdn);
    await victim.close();
    await proxy.close();
    await publish({
      layer: (good, asked) =>
        redirect(asked.path.includes("?") ? `http://cdn.invalid${asked.path}` : `${asked.path}?2`)(good, asked),
    });
    expectFailure(await victim.failure("registry.invalid/team/app:1"), {
      code: "REDIRECT_REFUSED",
      side: "registry.invalid",
    });
  });

  test("is not asked in the clear when TLS fails (CVE-2014-5277)", async () => {
    const plain = await sky.storm({ image });
    proxy = await startProxy({ "registry.invalid": plain.port });
    victim = await openVictim({ environment: { HTTPS_PROXY: proxy.url }, certDirs: [join(folder, "certs.d")] });
    const error = await victim.failure("registry.invalid/team/app:1", login);
    expectFailure(error, { code: "REGISTRY_TLS", side: "registry.invalid" });
    expect(plain.asked).toEqual([]);
  });

  test("is not believed without a certificate of an authority that we know", async () => {
    const registry = await sky.storm({ image, tls });
    proxy = await startProxy({ "registry.invalid": registry.port });
    victim = await openVictim({ environment: { HTTPS_PROXY: proxy.url } });
    const error = await victim.failure("registry.invalid/team/app:1", login);
    expectFailure(error, { code: "REGISTRY_TLS", side: "registry.invalid" });
    expect(registry.asked).toEqual([]);
  });

  test("is not believed with another host's certificate", async () => {
    const registry = await sky.storm({ image, tls });
    proxy = await startProxy({ "other.invalid": registry.port });
    await mkdir(join(folder, "certs.d", "other.invalid"), { recursive: true });
    await copyFile(certificates.authority, join(folder, "certs.d", "other.invalid", "ca.crt"));
    victim = await openVictim({ environment: { HTTPS_PROXY: proxy.url }, certDirs: [join(folder, "certs.d")] });
    const error = await victim.failure("other.invalid/team/app:1", login);
    expectFailure(error, { code: "REGISTRY_TLS", side: "other.invalid" });
    expect(registry.asked).toEqual([]);
  });

  test("whose name the proxy does not know is unreachable, and the proxy's words are not the registry's", async () => {
    proxy = await startProxy({});
    victim = await openVictim({ environment: { HTTPS_PROXY: proxy.url } });
    const error = await victim.failure("nowhere.invalid/team/app:1", login);
    expectFailure(error, { code: "REGISTRY_UNREACHABLE", side: "nowhere.invalid" });
  });

  test("gives its token to the one it asks for, who is asked with the login over TLS only", async () => {
    const gate = guardedBy("https://auth.invalid/token");
    const { registry } = await publish({
      manifest: gate,
      config: gate,
      layer: gate,
      token: fine,
      other: json(404, {}),
    });
    await victim.pull("registry.invalid/team/app:1", login);
    for (const { headers } of registry.asked) expect([undefined, "Bearer a-token"]).toContain(headers.authorization);
  });
}
