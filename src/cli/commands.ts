/** Every command: its name, what it does in a line, and where it is. */
import type { CommandModule } from "./io.ts";

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** The heading under which the help lists it. */
  readonly group: string;
  /** Only the command that is called is loaded, so that `pulley --version` does not pay for a registry client. */
  load(): Promise<CommandModule>;
}

const groups = {
  decide: "Decide and explain:",
  store: "Images on this machine:",
  logins: "Logins to registries:",
  node: "On a node:",
  self: "This program:",
};

export const commands: readonly CommandEntry[] = [
  {
    name: "run",
    group: groups.decide,
    summary: "take pods through image pulling as a kubelet would, and show why",
    load: () => import("./run.ts"),
  },
  { name: "pull", group: groups.store, summary: "pull images into the store", load: () => import("./pull.ts") },
  {
    name: "explain",
    group: groups.decide,
    summary: "say what a kubelet would do about each image, and why",
    load: () => import("./explain.ts"),
  },
  {
    name: "audit",
    group: groups.decide,
    summary: "find what is wrong with images and pull policies in manifests, and fix it",
    load: () => import("./audit.ts"),
  },
  {
    name: "policy",
    group: groups.decide,
    summary: "check policy files, or begin one",
    load: () => import("./policy.ts"),
  },
  {
    name: "simulate",
    group: groups.decide,
    summary: "see what another policy would change, in decisions, pulls, bytes and refusals",
    load: () => import("./simulate.ts"),
  },
  {
    name: "doctor",
    group: groups.decide,
    summary: "find out why a pull fails: name, network, login, image, rules or disk",
    load: () => import("./doctor.ts"),
  },
  { name: "images", group: groups.store, summary: "list the images in the store", load: () => import("./images.ts") },
  {
    name: "inspect",
    group: groups.store,
    summary: "show all that is known of an image",
    load: () => import("./inspect.ts"),
  },
  { name: "tag", group: groups.store, summary: "give an image another name", load: () => import("./tag.ts") },
  {
    name: "rm",
    group: groups.store,
    summary: "remove names, and images that have none left",
    load: () => import("./rm.ts"),
  },
  {
    name: "gc",
    group: groups.store,
    summary: "delete unused images as a kubelet does, and say of each why or why not",
    load: () => import("./gc.ts"),
  },
  { name: "load", group: groups.store, summary: "bring in images from an archive", load: () => import("./load.ts") },
  { name: "save", group: groups.store, summary: "write images into an archive", load: () => import("./save.ts") },
  {
    name: "verify",
    group: groups.store,
    summary: "read every blob of the store again, and set aside what is damaged",
    load: () => import("./verify.ts"),
  },
  {
    name: "login",
    group: groups.logins,
    summary: "log in to a registry, and keep the login where docker does",
    load: () => import("./login.ts"),
  },
  {
    name: "logout",
    group: groups.logins,
    summary: "forget the login to a registry",
    load: () => import("./logout.ts"),
  },
  {
    name: "node",
    group: groups.node,
    summary: "run on a node: images for its kubelet, pods, a mirror of registries, metrics",
    load: () => import("./node.ts"),
  },
  {
    name: "hosts",
    group: groups.node,
    summary: "check containerd's hosts.toml files, or make them from a registries.conf",
    load: () => import("./hosts.ts"),
  },
  {
    name: "get",
    group: groups.node,
    summary: "list the pods, events or images of a node's daemon",
    load: () => import("./get.ts"),
  },
  {
    name: "describe",
    group: groups.node,
    summary: "show all that a node's daemon knows of a pod, and what it decided about its images",
    load: () => import("./describe.ts"),
  },
  {
    name: "logs",
    group: groups.node,
    summary: "print what a pod's container has written",
    load: () => import("./logs.ts"),
  },
  {
    name: "version",
    group: groups.self,
    summary: "print the version, the commit and Node's version",
    load: () => import("./version.ts"),
  },
  {
    name: "completion",
    group: groups.self,
    summary: "print a script that completes commands in your shell",
    load: () => import("./completion.ts"),
  },
];
