/** The mirror with a certificate, as it serves other machines. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openNetwork } from "../../examples/world/network.ts";
import { startMirror } from "../../src/mirror/index.ts";
import { openMirror } from "../../src/mirror/testing/mirror.ts";
import { fakeRegistry } from "../../src/pull/testing/fake-registry.ts";
import { describeWith, makeCertificates, run } from "../tools.ts";

describeWith(["openssl", "skopeo"], "a mirror with a certificate", ({ skopeo }) => {
  test("is spoken to by clients that trust its authority, and by no others", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pulley-mirror-tls-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { authority, server } = await makeCertificates(folder);
    const [certificate, key] = await Promise.all([readFile(server.certificate, "utf8"), readFile(server.key, "utf8")]);
    const registry = fakeRegistry();
    registry.push("registry.acme.io/shop/app:1", { layers: ["one"] });
    const { parts } = await openMirror({ registry });
    const registries = ["registry.acme.io"];
    const mirror = await startMirror({ address: "127.0.0.1:0", tls: { certificate, key }, registries, parts });
    onTestFinished(() => mirror.close());
    expect(mirror.url).toMatch(/^https:/);
    const network = await openNetwork(Number(mirror.address.split(":").at(-1)));
    onTestFinished(() => network.close());
    const image = `docker://${network.host}/registry.acme.io/shop/app:1`;
    const trusted = await run(skopeo, ["inspect", "--raw", image], { SSL_CERT_FILE: authority });
    expect(JSON.parse(trusted)).toMatchObject({ schemaVersion: 2 });
    await expect(run(skopeo, ["inspect", "--raw", image])).rejects.toThrow(/certificate/);
  });
});
