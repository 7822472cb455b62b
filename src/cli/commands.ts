/** Every command: its name, what it does in a line, and where it is. */
import type { CommandModule } from "./surroundings.ts";

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Only the command that is called is loaded, so that `pulley --version` does not pay for a registry client. */
  load(): Promise<CommandModule>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "take pods through image pulling as a kubelet would, and show why",
    load: () => import("./run.ts"),
  },
  { name: "pull", summary: "pull images into the store", load: () => import("./pull.ts") },
  {
    name: "explain",
    summary: "say what a kubelet would do about each image, and why",
    load: () => import("./explain.ts"),
  },
  {
    name: "audit",
    summary: "find what is wrong with images and pull policies in manifests, and fix it",
    load: () => import("./audit.ts"),
  },
  { name: "policy", summary: "check policy files, or begin one", load: () => import("./policy.ts") },
  {
    name: "hosts",
    summary: "check the hosts.toml files of containerd, or make them of a registries.conf",
    load: () => import("./hosts.ts"),
  },
  {
    name: "simulate",
    summary: "see what another policy would change, in decisions, pulls, bytes and refusals",
    load: () => import("./simulate.ts"),
  },
  {
    name: "doctor",
    summary: "find out why a pull fails: name, network, login, image, rules or disk",
    load: () => import("./doctor.ts"),
  },
  { name: "images", summary: "list the images in the store", load: () => import("./images.ts") },
  { name: "inspect", summary: "show all that is known of an image", load: () => import("./inspect.ts") },
  { name: "tag", summary: "give an image another name", load: () => import("./tag.ts") },
  { name: "rm", summary: "remove names, and images that have none left", load: () => import("./rm.ts") },
  {
    name: "gc",
    summary: "delete unused images as a kubelet does, and say of each why or why not",
    load: () => import("./gc.ts"),
  },
  { name: "load", summary: "bring in images from an archive", load: () => import("./load.ts") },
  { name: "save", summary: "write images into an archive", load: () => import("./save.ts") },
  {
    name: "verify",
    summary: "read every blob of the store again, and set aside what is damaged",
    load: () => import("./verify.ts"),
  },
  {
    name: "node",
    summary: "serve a node's images to its kubelet, run pods, mirror registries, and tell of all that",
    load: () => import("./node.ts"),
  },
  { name: "get", summary: "list the pods, events or images of a node's daemon", load: () => import("./get.ts") },
  {
    name: "describe",
    summary: "show all that a node's daemon knows of a pod, and what it decided about its images",
    load: () => import("./describe.ts"),
  },
  { name: "logs", summary: "print what a pod's container has written", load: () => import("./logs.ts") },
];
