/** All commands: name, summary and module. */
import type { CommandModule } from "./io.ts";

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading of its group in the help. */
  readonly group: string;
  /** Only the called command is loaded, so that `pulley --version` does not load a registry client. */
  load(): Promise<CommandModule>;
}

export const groups = {
  decide: "Policy and troubleshooting:",
  store: "Image store:",
  logins: "Registry logins:",
  node: "Node:",
  other: "Other:",
};

export const commands: readonly CommandEntry[] = [
  {
    name: "run",
    group: groups.decide,
    summary: "Pull the images of pods as a kubelet would, and explain each decision",
    load: () => import("./run.ts"),
  },
  { name: "pull", group: groups.store, summary: "Pull images into the store", load: () => import("./pull.ts") },
  {
    name: "explain",
    group: groups.decide,
    summary: "Explain what a kubelet would do for each image",
    load: () => import("./explain.ts"),
  },
  {
    name: "audit",
    group: groups.decide,
    summary: "Find problems with images and pull policies in manifests and clusters, and fix manifests",
    load: () => import("./audit.ts"),
  },
  {
    name: "outdated",
    group: groups.decide,
    summary: "Find newer versions of images, and images that are gone or have moved",
    load: () => import("./outdated.ts"),
  },
  {
    name: "fleet",
    group: groups.decide,
    summary: "Report what runs in clusters, and what to do about it",
    load: () => import("./fleet.ts"),
  },
  {
    name: "policy",
    group: groups.decide,
    summary: "Check or create policy files",
    load: () => import("./policy.ts"),
  },
  {
    name: "simulate",
    group: groups.decide,
    summary: "Show what another policy would change: decisions, pulls, bytes, refusals",
    load: () => import("./simulate.ts"),
  },
  {
    name: "doctor",
    group: groups.decide,
    summary: "Find out why a pull fails: name, network, login, image, policy or disk",
    load: () => import("./doctor.ts"),
  },
  { name: "images", group: groups.store, summary: "List the images in the store", load: () => import("./images.ts") },
  {
    name: "inspect",
    group: groups.store,
    summary: "Show details of images",
    load: () => import("./inspect.ts"),
  },
  { name: "tag", group: groups.store, summary: "Add a name to an image", load: () => import("./tag.ts") },
  {
    name: "rm",
    group: groups.store,
    summary: "Remove names of images, and images without a name",
    load: () => import("./rm.ts"),
  },
  {
    name: "gc",
    group: groups.store,
    summary: "Delete unused images as a kubelet does, with the reason for each",
    load: () => import("./gc.ts"),
  },
  { name: "load", group: groups.store, summary: "Load images from an archive", load: () => import("./load.ts") },
  { name: "save", group: groups.store, summary: "Save images to an archive", load: () => import("./save.ts") },
  {
    name: "verify",
    group: groups.store,
    summary: "Check every blob in the store, and set damaged ones aside",
    load: () => import("./verify.ts"),
  },
  {
    name: "login",
    group: groups.logins,
    summary: "Log in to a registry, and store the login as docker does",
    load: () => import("./login.ts"),
  },
  {
    name: "logout",
    group: groups.logins,
    summary: "Log out from a registry",
    load: () => import("./logout.ts"),
  },
  {
    name: "node",
    group: groups.node,
    summary: "Run the node daemon: image service, pods, registry mirror, metrics",
    load: () => import("./node.ts"),
  },
  {
    name: "hosts",
    group: groups.node,
    summary: "Check containerd's hosts.toml files, or create them from registries.conf",
    load: () => import("./hosts.ts"),
  },
  {
    name: "get",
    group: groups.node,
    summary: "List the pods, events or images of the node daemon",
    load: () => import("./get.ts"),
  },
  {
    name: "describe",
    group: groups.node,
    summary: "Show details of pods, and the decisions about their images",
    load: () => import("./describe.ts"),
  },
  {
    name: "logs",
    group: groups.node,
    summary: "Print the logs of a container",
    load: () => import("./logs.ts"),
  },
  {
    name: "version",
    group: groups.other,
    summary: "Print the version, the commit and the version of Node",
    load: () => import("./version.ts"),
  },
  {
    name: "completion",
    group: groups.other,
    summary: "Print a shell completion script",
    load: () => import("./completion.ts"),
  },
];
