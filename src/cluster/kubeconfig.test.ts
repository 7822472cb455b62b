import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseContexts, ownCluster } from "./contexts.ts";
import { readKubeconfig } from "./kubeconfig.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-kubeconfig-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
}

function config(name: string, server: string, current = ""): string {
  return `apiVersion: v1
kind: Config
clusters: [{ name: ${name}, cluster: { server: "${server}", certificate-authority: ca.crt } }]
users: [{ name: ${name}, user: { tokenFile: token, exec: { command: ./bin/login } } }]
contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }]
current-context: "${current}"
`;
}

const all = { names: [], all: true };
const current = { names: [], all: false };

describe("kubeconfig files", () => {
  it("are merged: of one name, and of current contexts, the first holds", () => {
    const files = [
      write("a", config("one", "https://a")),
      write("b", config("one", "https://b", "two")),
      write("c", config("two", "https://c", "one")),
    ];
    const read = readKubeconfig({ variable: [...files, join(folder, "none"), ""].join(delimiter), home: folder });
    expect(read.files).toEqual(files);
    expect(chooseContexts(read, all, undefined).map(({ name, server }) => `${name} ${server}`)).toEqual([
      "one https://a/",
      "two https://c/",
    ]);
    expect(chooseContexts(read, current, undefined)).toMatchObject([{ name: "two" }]);
  });

  it("name other files from where they are themselves", () => {
    write(".kube/config", config("one", "https://a", "one"));
    const [context] = chooseContexts(readKubeconfig({ home: folder }), current, undefined);
    expect(context?.cluster["certificate-authority"]).toBe(join(folder, ".kube/ca.crt"));
    expect(context?.user["tokenFile"]).toBe(join(folder, ".kube/token"));
    expect(context?.user["exec"]).toEqual({ command: join(folder, ".kube/bin/login") });
  });

  it("must exist where they are named, and be sound; no secret of them is in a message", () => {
    expect(() => readKubeconfig({ file: join(folder, "none"), home: folder })).toThrow(
      expect.objectContaining({ code: "INPUT_UNREADABLE", message: expect.stringContaining("no such file") }),
    );
    const bad = (text: string) => () => readKubeconfig({ file: write("bad", text), home: folder });
    expect(bad("users: [{ token: hidden }\n}")).toThrow(/is invalid: line \d/);
    expect(bad("users: [{ token: hidden }\n}")).not.toThrow(/hidden/);
    expect(bad("kind: Pod")).toThrow("its kind is Pod, and not Config");
    expect(bad("- a")).toThrow("it is no object");
    expect(bad("clusters: [{ cluster: {} }]")).toThrow("clusters[0].name is missing");
    expect(bad("")).not.toThrow();
  });
});

describe("a context", () => {
  const read = (text: string) => readKubeconfig({ file: write("config", text), home: folder });

  it("that does not exist is told with those that do, in kubectl's words", () => {
    const wanted = { names: ["prodution"], all: false };
    expect(() => chooseContexts(read(config("production", "https://a")), wanted, undefined)).toThrow(
      expect.objectContaining({
        code: "USAGE",
        message: 'context "prodution" does not exist; did you mean production?',
        advice: "Name one with --context: production.",
      }),
    );
  });

  it.each([
    ["there is no kubeconfig", ""],
    ["has no current context: one", config("one", "https://a")],
    ['cluster "x" does not exist', "contexts: [{ name: a, context: { cluster: x } }]\ncurrent-context: a"],
    [
      'user "y" does not exist',
      "contexts: [{ name: a, context: { cluster: x, user: y } }]\ncurrent-context: a\nclusters: [{ name: x, cluster: { server: a } }]",
    ],
    [
      "its cluster has no server",
      "contexts: [{ name: a, context: { cluster: x } }]\ncurrent-context: a\nclusters: [{ name: x }]",
    ],
    ["is no address", config("one", "ftp://a", "one")],
    ["has a login in the address", config("one", "https://me:secret@a", "one")],
  ])("is refused where %s", (message, text) => {
    expect(() => chooseContexts(read(text), current, undefined)).toThrow(message);
  });

  it("is the cluster of a pod's own service account where there is no kubeconfig", () => {
    write("account/token", "t");
    const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
    const own = ownCluster(environment, join(folder, "account"));
    const [context] = chooseContexts(read(""), { names: ["in-cluster"], all: false }, own);
    expect(context).toMatchObject({ name: "in-cluster", user: { tokenFile: join(folder, "account/token") } });
    expect(context?.server.href).toBe("https://[fd00::1]/");
    expect(ownCluster({}, join(folder, "account"))).toBeUndefined();
  });
});
