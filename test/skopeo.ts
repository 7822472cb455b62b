/** The skopeo program: another implementation of what we do, to bring images in and to compare with. */
import { requiredTool, run } from "./programs.ts";

export interface SkopeoOptions {
  /** Every platform of an index rather than this machine's. */
  readonly all?: boolean;
  /** `name:password` for the side that is a registry with a login. */
  readonly sourceLogin?: string;
  readonly destinationLogin?: string;
  /** More arguments of `skopeo copy`, such as `--format=v2s2`. */
  readonly args?: readonly string[];
}

/** Copies an image from one place to another, in skopeo's words: `oci:folder:tag`, `docker://127.0.0.1:5000/name:tag`. */
export async function skopeoCopy(from: string, to: string, options: SkopeoOptions = {}): Promise<void> {
  const args = ["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"];
  if (options.all) args.push("--all");
  if (options.sourceLogin !== undefined) args.push(`--src-creds=${options.sourceLogin}`);
  if (options.destinationLogin !== undefined) args.push(`--dest-creds=${options.destinationLogin}`);
  await run(requiredTool("skopeo"), ["--insecure-policy", ...args, ...(options.args ?? []), from, to]);
}
