import { createHash } from "node:crypto";
import { parseDigest as parse } from "../image/digest.ts";
import { ociManifest } from "../image/media-type.ts";
import { policyOf } from "../node/testing/policies.ts";
import type { ImageStore } from "../store/index.ts";
import { blobsOf, type SampleImage, sampleImage } from "../store/testing/sample-image.ts";
import { describePullConformance } from "./testing/conformance.ts";
import { openMirror } from "./testing/mirror.ts";

const tags = ["1.27", "Latest", "latest-arm", "v2"];

/** An image, and another of the same content that names it as its subject: an image too, so that a store keeps it. */
function withReferrer(image: SampleImage) {
  const artifactType = image.config.descriptor.mediaType;
  const document = { ...JSON.parse(image.manifest.bytes.toString("utf8")), subject: image.manifest.descriptor };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { bytes, digest, artifactType };
}

/** Everything is in the store, and nothing has to be asked: what a mirror is for a client without any network behind it. */
async function openSubject(prepare: (store: ImageStore, name: string) => Promise<SampleImage>) {
  const policy = policyOf("{ name: here, pull: { policy: IfNotPresent } }");
  const { mirror, store } = await openMirror({ policy: () => policy, openToAll: true });
  const name = "registry.acme.io/shop/app";
  const image = await prepare(store, name);
  return { url: mirror.url, name, tags, image };
}

describePullConformance("a mirror over the embedded store", async () => {
  const { url, name, image } = await openSubject(async (store, repository) => {
    const sample = sampleImage("conformance");
    const referrer = withReferrer(sample);
    const lease = await store.lease();
    for (const { descriptor, bytes } of blobsOf(sample)) await lease.put(descriptor, bytes);
    const record = { target: sample.manifest.descriptor, image: sample.id, manifest: sample.manifest.descriptor };
    const { platform } = sample;
    await lease.publish(tags.map((tag) => ({ name: `${repository}:${tag}`, ...record, platform })));
    const descriptor = { ...sample.manifest.descriptor, digest: parse(referrer.digest), size: referrer.bytes.length };
    await lease.put(descriptor, referrer.bytes);
    const named = { name: `${repository}@${referrer.digest}`, target: descriptor, image: sample.id };
    await lease.publish([{ ...named, manifest: descriptor, platform }]);
    await lease.release();
    return sample;
  });
  const { digest, artifactType } = withReferrer(image);
  const [layer] = image.layers;
  if (layer === undefined) throw new Error("the sample has no layers");
  return {
    ...{ url, name, tags },
    manifest: { digest: image.manifest.descriptor.digest, mediaType: ociManifest, bytes: image.manifest.bytes },
    blob: { digest: layer.descriptor.digest, bytes: layer.bytes },
    referrer: { digest, artifactType },
  };
});
