/** A real image with Debian's busybox in it, made here: containers start from it, and nothing is fetched for it. */
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { ociConfig, ociLayer, ociManifest } from "../src/image/index.ts";
import {
  blob,
  describe,
  digestOf,
  layoutIndex,
  layoutMarker,
  type TarEntry,
  tarOf,
} from "../src/store/archive/testing.ts";
import { requiredTool, run } from "./programs.ts";

export interface BusyboxImage {
  /** In gzip. */
  readonly layers: readonly Buffer[];
  readonly config: Buffer;
  readonly manifest: Buffer;
  /** An OCI archive with the image under a name. */
  archive(name: string): Buffer;
}

export interface BusyboxImageOptions {
  /** Default: sleeps for as long as anybody could wait. */
  readonly entrypoint?: readonly string[];
  /** Further layers on top, as the files in each of them. */
  readonly layers?: readonly (readonly TarEntry[])[];
  /** Fields of the config's `config`: `Env`, `User`, `Labels`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** What the image has as programs of their own, beside `busybox`. */
const applets = ["cat", "echo", "env", "false", "id", "ls", "sh", "sleep", "touch", "true", "wget"];

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export async function busyboxImage(options: BusyboxImageOptions = {}): Promise<BusyboxImage> {
  const contents = [await programs(), ...(options.layers ?? [])].map((entries) => tarOf(...entries));
  const layers = contents.map((content) => gzipSync(content));
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: architectures[process.arch] ?? process.arch,
      created: "2026-01-02T03:04:05Z",
      config: {
        Entrypoint: options.entrypoint ?? ["/bin/busybox", "sleep", "2147483647"],
        Env: ["PATH=/bin"],
        ...options.config,
      },
      rootfs: { type: "layers", diff_ids: contents.map(digestOf) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: describe(ociConfig, config),
      layers: layers.map((layer) => describe(`${ociLayer}+gzip`, layer)),
    }),
  );
  const archive = (name: string): Buffer => {
    const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
    const index = layoutIndex({ ...describe(ociManifest, manifest), annotations });
    // skopeo makes folders that have no entry, and can give them to root only as root.
    const folders = ["blobs/", "blobs/sha256/"].map((path) => ({ path, type: "Directory" as const, mode: 0o755 }));
    return tarOf(layoutMarker, index, ...folders, ...[manifest, config, ...layers].map(blob));
  };
  return { layers, config, manifest, archive };
}

async function programs(): Promise<TarEntry[]> {
  const busybox = requiredTool("busybox");
  const libraries = await Promise.all((await librariesOf(busybox)).map((path) => fileAt(path, path.slice(1))));
  const folders = ["bin", "etc", "proc", "sys", "dev", "tmp"];
  return [
    ...folders.map((path): TarEntry => ({ path: `${path}/`, type: "Directory", mode: 0o755 })),
    { path: "etc/passwd", content: "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n" },
    { path: "etc/group", content: "root:x:0:\nnogroup:x:65534:\n" },
    await fileAt(busybox, "bin/busybox"),
    ...applets.map((name): TarEntry => ({ path: `bin/${name}`, type: "SymbolicLink", linkpath: "busybox" })),
    ...libraries,
  ];
}

async function fileAt(path: string, place: string): Promise<TarEntry> {
  return { path: place, mode: 0o755, content: await readFile(path) };
}

/** Of the package `busybox-static` none, of the package `busybox` the C library and the loader. */
async function librariesOf(program: string): Promise<string[]> {
  const listed = await run(requiredTool("ldd"), [program]).catch(() => "");
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
}
