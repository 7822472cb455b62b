/** What the conformance of a mirror is tested on. Everything is in the store, and no registry has to be asked. */
import { createHash } from "node:crypto";
import { ociManifest, parseDigest } from "../../image/index.ts";
import { policyOf } from "../../pull/testing/policies.ts";
import type { ImageStore } from "../../store/index.ts";
import { blobsOf, type SampleImage, sampleImage } from "../../store/testing/sample-image.ts";
import type { Subject } from "./conformance.ts";
import { openMirror } from "./mirror.ts";

const name = "registry.acme.io/shop/app";
const tags = ["1.27", "Latest", "latest-arm", "v2"];

/** @param given the store, empty, and an image that it takes; by default an embedded one */
export async function openSubject(
  given: { readonly store?: ImageStore; readonly image?: SampleImage } = {},
): Promise<Subject> {
  const policy = policyOf("{ name: here, pull: { policy: IfNotPresent } }");
  const { mirror, store } = await openMirror({ policy: () => policy, openToAll: true, ...given });
  const { image = sampleImage("conformance") } = given;
  const [layer] = image.layers;
  if (layer === undefined) throw new Error("the sample has no layers");
  const referrer = withSubject(image);
  if ((await store.record(`${name}:${tags[0]}`)) === undefined) await bringIn(store, image, referrer);
  return {
    url: mirror.url,
    name,
    tags,
    manifest: { digest: image.manifest.descriptor.digest, mediaType: ociManifest, bytes: image.manifest.bytes },
    blob: { digest: layer.descriptor.digest, bytes: layer.bytes },
    referrer: { digest: referrer.digest, artifactType: image.config.descriptor.mediaType },
  };
}

/** An image of the same content that names another as its subject: an image too, so that every store keeps it. */
function withSubject({ manifest }: SampleImage) {
  const document = { ...JSON.parse(manifest.bytes.toString("utf8")), subject: manifest.descriptor };
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, digest: parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`) };
}

async function bringIn(store: ImageStore, image: SampleImage, { bytes, digest }: ReturnType<typeof withSubject>) {
  const lease = await store.lease();
  try {
    for (const blob of blobsOf(image)) await lease.put(blob.descriptor, blob.bytes);
    const { platform, manifest, id } = image;
    const own = { target: manifest.descriptor, image: id, manifest: manifest.descriptor, platform };
    await lease.publish(tags.map((tag) => ({ name: `${name}:${tag}`, ...own })));
    const descriptor = { ...manifest.descriptor, digest, size: bytes.length };
    await lease.put(descriptor, bytes);
    const referring = { target: descriptor, image: id, manifest: descriptor, platform };
    await lease.publish([{ name: `${name}@${digest}`, ...referring }]);
  } finally {
    await lease.release();
  }
}
