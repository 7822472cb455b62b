/** Images that other programs take, and how each of them is odd. */
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { artifact, type Fields, oddImage, oddIndex } from "../../examples/world/odd-image.ts";

export interface OddCase {
  readonly name: string;
  readonly image: BuiltImage;
  /** The image that a machine of linux/amd64 takes; default: the only one. */
  readonly taken?: BuiltImage;
  /** What a pull warns of. */
  readonly warns?: RegExp;
}

const dockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const ociForeign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const mismatch = /says .*linux\/arm64/;

const unfetchable: readonly Fields[] = [{ digest: "" }, { digest: "sha256:zz" }, { size: -1 }, { size: 2 ** 53 }];

const platform = (architecture: string, os = "linux"): Fields => ({ platform: { os, architecture } });

export async function oddCases(): Promise<readonly OddCase[]> {
  const files = { "bin/hello": "hello\n" };
  const oci = await buildImage({ layers: [{ files }] });
  const docker = await buildImage({ layers: [{ files }], format: "docker" });
  const scratch = await buildImage({ layers: [] });
  const arm = await buildImage({ layers: [{ files }], platforms: ["linux/arm64"] });
  const noRootfs = { rootfs: { type: "layers", diff_ids: null }, history: null };
  const nothing = oddImage(docker, { config: { architecture: "", os: "" } });
  const silent = oddImage(docker, { config: { architecture: undefined, os: undefined } });
  const report = artifact("application/vnd.example.report");
  const own = platform("amd64");
  const labels = (text: string, bytes: string | Uint8Array) => (json: string) => {
    const at = json.indexOf(text);
    return Buffer.concat([
      Buffer.from(json.slice(0, at)),
      Buffer.from(bytes),
      Buffer.from(json.slice(at + text.length)),
    ]);
  };
  const labelled = { config: { Labels: { label: "value" } } };
  return [
    { name: "no layers: null", image: oddImage(scratch, { manifest: { layers: null }, config: noRootfs }) },
    { name: "no layers: no key", image: oddImage(scratch, { manifest: { layers: undefined }, config: noRootfs }) },
    { name: "no layers, and no rootfs at all", image: oddImage(scratch, { config: { rootfs: undefined } }) },
    { name: "a rootfs without a type", image: oddImage(oci, { config: { rootfs: rootfsOf(oci) } }) },
    {
      name: "a rootfs with an empty type",
      image: oddImage(oci, { config: { rootfs: { ...rootfsOf(oci), type: "" } } }),
    },
    { name: "a config without a platform", image: silent },
    { name: "a config with an empty platform", image: nothing },
    { name: "a config with an empty processor", image: oddImage(docker, { config: { architecture: "" } }) },
    { name: "a config without a system", image: oddImage(docker, { config: { os: undefined } }) },
    { name: "an empty platform in an index", image: oddIndex([{ image: nothing, fields: own }]), taken: nothing },
    { name: "no platform anywhere", image: oddIndex([{ image: silent }]), taken: silent },
    {
      name: "no platform in one entry, where another one's fits",
      image: oddIndex([{ image: silent }, { image: oci }]),
      taken: oci,
    },
    { name: "a manifest alone for another processor", image: arm, warns: mismatch },
    {
      name: "an index that mixes its platforms up",
      image: oddIndex([
        { image: oci, fields: platform("arm64") },
        { image: arm, fields: own },
      ]),
      taken: arm,
      warns: mismatch,
    },
    {
      name: "a config that says what no platform is",
      image: oddImage(oci, { config: { architecture: "amd 64", variant: "v8/x" } }),
      warns: /says that it is for linux\/unknown/,
    },
    {
      name: "an index with an entry for what no platform is",
      image: oddIndex([
        { image: arm, fields: platform("amd 64") },
        { image: oci, fields: own },
      ]),
      taken: oci,
    },
    ...unfetchable.map((fault) => ({
      name: `an index with an entry that nobody could fetch, ${JSON.stringify(fault)}`,
      image: oddIndex([
        { image: arm, fields: { ...platform("arm64"), ...fault } },
        { image: oci, fields: own },
      ]),
      taken: oci,
    })),
    { name: "no schema version", image: oddImage(oci, { manifest: { schemaVersion: undefined } }) },
    { name: "a config of another type", image: oddImage(oci, { configType: "application/json" }) },
    { name: "an empty artifact type", image: oddImage(oci, { manifest: { artifactType: "" } }) },
    { name: "a subject that is none", image: oddImage(oci, { manifest: { subject: {} } }) },
    {
      name: "another type of rootfs",
      image: oddImage(oci, { config: { rootfs: { ...rootfsOf(oci), type: "Layers" } } }),
    },
    { name: "an artifact type", image: oddImage(oci, { manifest: { artifactType: "application/vnd.example.app" } }) },
    {
      name: "an artifact before the image, without a platform",
      image: oddIndex([{ image: report }, { image: oci, fields: own }]),
      taken: oci,
    },
    {
      name: "an artifact before the image, for the same platform",
      image: oddIndex([
        { image: report, fields: own },
        { image: oci, fields: own },
      ]),
      taken: oci,
    },
    {
      name: "an artifact before the image, both without a platform",
      image: oddIndex([{ image: report }, { image: oci }]),
      taken: oci,
    },
    { name: "a foreign layer of docker's", image: oddImage(docker, { layer: { mediaType: dockerForeign } }) },
    {
      name: "a foreign layer with an address",
      image: oddImage(docker, { layer: { mediaType: dockerForeign, urls: ["http://127.0.0.1:1/layer"] } }),
    },
    { name: "a layer that is not to be distributed", image: oddImage(oci, { layer: { mediaType: ociForeign } }) },
    { name: "an empty time", image: oddImage(oci, { config: { created: "" } }) },
    {
      name: "a time to the picosecond",
      image: oddImage(oci, { config: { created: "2026-01-02T03:04:05.123456789012Z" } }),
    },
    {
      name: "Latin-1 in a label",
      image: oddImage(oci, { config: labelled, rewrite: labels("value", Buffer.from("M\xfcller", "latin1")) }),
    },
    {
      name: "a label that comes twice",
      image: oddImage(oci, { config: labelled, rewrite: labels('"label":"value"', '"label":"old","label":"new"') }),
    },
    {
      name: "nulls for texts",
      image: oddImage(oci, {
        config: { config: { Cmd: ["/hello", null], Labels: { label: null } } },
        manifest: { annotations: { note: null } },
        layer: { annotations: { note: null } },
      }),
    },
    {
      name: "nulls wherever Go takes them",
      image: oddImage(oci, {
        config: { config: { Env: null, Labels: null, Volumes: null }, history: null, created: null, variant: "" },
        manifest: { annotations: null, subject: null, artifactType: null },
        layer: { annotations: null, urls: null, platform: null },
      }),
    },
  ];
}

function rootfsOf(image: BuiltImage): Fields {
  const [first] = image.manifests;
  const bytes = first === undefined ? undefined : image.content.get(first.config.digest)?.bytes;
  const { rootfs }: { rootfs: Record<string, unknown> } = JSON.parse(bytes?.toString() ?? "{}");
  return { ...rootfs, type: undefined };
}
