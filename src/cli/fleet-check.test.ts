import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answerPage, refuse, startStandIn } from "../cluster/testing/api-server.ts";
import { digestOf, listText, node, pod } from "../fleet/testing/objects.ts";
import { widthOf } from "../support/terminal.ts";
import { temporaryFolder } from "../support/testing.ts";
import { type RepositoryTags, tagRegistry } from "../versions/testing/tag-registry.ts";
import { callPulley } from "./testing/call.ts";

/** A folder that is the cache and the home of a call. */
function place() {
  const folder = temporaryFolder();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const report = (...words: readonly string[]) =>
    callPulley(["fleet", "report", ...words], { HOME: folder, PATH: "", XDG_CACHE_HOME: join(folder, "cache") });
  return { write, report };
}

const app: RepositoryTags = { "1.0.0": {}, "1.0.1": {}, "1.1.0": {}, main: {} };

describe("pulley fleet report --check", () => {
  it("tells of what registries know, in lines of 80 columns, and counts what is behind unless --all is given", async () => {
    const registry = await tagRegistry({ app });
    const image = `${registry.host}/app`;
    const { write, report } = place();
    const objects = [
      pod({ name: "moved", image: `${image}:main`, policy: "Always", digest: digestOf("a") }),
      pod({ name: "old", image: `${image}:1.0.0`, digest: registry.digestOf("app", "1.0.0") }),
      pod({ name: "minor", image: `${image}:1.0.1`, digest: registry.digestOf("app", "1.0.1") }),
      pod({ name: "gone", image: `${image}:0.9.0`, digest: digestOf("b") }),
      node("n1"),
    ];
    const path = write("eu.json", listText(objects));
    const { stdout, stderr, status } = await report("--check", "--from", path);
    expect([stderr, status]).toEqual(["", 0]);
    const told = stdout.replaceAll(registry.host, "HOST");
    expect(told).toContain(`HOST/app:0.9.0 is gone: HOST has no such tag any more`);
    expect(told).toContain("HOST/app:main has moved: 1 container runs an older copy");
    expect(told).toContain("1 image has newer patch releases\n    HOST/app:1.0.0\n");
    expect(told).toContain("1 image has a newer minor version\n    HOST/app:1.0.1\n");
    expect(told).toContain("1 cluster, 4 pods, 1 node: 1 critical, 2 medium, 1 low");
    expect(told.split("\n").filter((line) => widthOf(line) > 80 && !line.startsWith("    $ "))).toEqual([]);
    const all = await report("--check", "--all", "--from", path);
    expect(all.stdout).toContain(`${image}:1.0.0 has newer patch releases, up to 1.0.1`);
    const without = await report("--from", path);
    expect(without.stdout).toContain("nothing to do");
  });

  it("tells of each registry that could not be asked once, and exits with 3", async () => {
    const { write, report } = place();
    const pods = ["a:1", "b:1", "b:2"].map((image, at) => pod({ name: `p${at}`, image: `127.0.0.1:1/${image}` }));
    const path = write("eu.json", listText([...pods, node("n1")]));
    const { stdout, stderr, status } = await report("--check", "--from", path, "-o", "json");
    expect(status).toBe(3);
    expect(stderr).toMatch(/^warning: 127\.0\.0\.1:1: none of its 3 images could be checked: .*\n$/);
    const { registries, items } = JSON.parse(stdout);
    expect(registries).toMatchObject([{ name: "127.0.0.1:1", images: 3, unanswered: 3 }]);
    expect(items).toEqual([]);
  });

  it("asks with the pull secrets of each workload's own cluster, if it may", async () => {
    const logins: string[] = [];
    const registry = await tagRegistry({ app }, ({ headers }, response) => {
      const login = Buffer.from(headers.authorization?.replace("Basic ", "") ?? "", "base64").toString();
      logins.push(login);
      if (login === "us:right") return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"' });
      response.end();
      return true;
    });
    const more = { serviceAccountName: "robot" };
    const own = (user: string) => ({
      "/api/v1/pods": [pod({ name: "a", image: `${registry.host}/app:main`, digest: digestOf("a"), more })],
      "/api/v1/namespaces/prod/serviceaccounts/robot": [{ metadata: {}, imagePullSecrets: [{ name: "pull" }] }],
      "/api/v1/namespaces/prod/secrets/pull": [secret(registry.host, user)],
    });
    const [eu, us] = [await cluster(own("eu:wrong")), await cluster(own("us:right"))];
    const { write, report } = place();
    const kubeconfig = write("kubeconfig", kubeconfigOf({ eu: eu.url, us: us.url }));
    const call = ["--check", "--kubeconfig", kubeconfig, "--all-contexts", "-o", "json"];
    const kinds = (text: string) => JSON.parse(text).items.map(({ kind }: { kind: string }) => kind);
    const without = await report(...call);
    expect(without.status).toBe(3);
    expect(kinds(without.stdout)).not.toContain("tag-moved");
    expect([...eu.asked, ...us.asked].filter((path) => /secrets|serviceaccounts/.test(path))).toEqual([]);
    logins.length = 0;
    const { stdout, stderr, status } = await report(...call, "--secrets");
    expect(stderr).not.toMatch(/wrong|right/);
    expect(status).toBe(0);
    expect(kinds(stdout)).toContain("tag-moved");
    expect(new Set(logins)).toEqual(new Set(["", "eu:wrong", "us:right"]));
    await Promise.all([eu.stop(), us.stop()]);
  });

  it("does not take the list of a cluster for a password", async () => {
    const { report } = place();
    const { status, stderr } = await report("--check", "--username", "me", "--password-stdin", "--from", "eu=-");
    expect(stderr).toContain("standard input cannot be both a password and a file");
    expect(status).toBe(2);
  });

  it.each([
    [["--secrets"], /--secrets is given without --check/],
    [["--secrets", "--check"], /--secrets is given without a cluster/],
  ])("refuses %j with lists in files", async (words, message) => {
    const { write, report } = place();
    const { status, stderr } = await report(...words, "--from", write("eu.json", listText([])));
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

function cluster(objects: Readonly<Record<string, readonly object[]>>) {
  return startStandIn((_request, response, url) => {
    const found = objects[url.pathname];
    if (url.searchParams.has("limit")) answerPage(response, found ?? [], url);
    else if (found === undefined) refuse(response, 404, { reason: "NotFound" });
    else response.end(JSON.stringify(found[0]));
  });
}

function secret(host: string, login: string) {
  const [username, password] = login.split(":");
  const config = Buffer.from(JSON.stringify({ auths: { [host]: { username, password } } })).toString("base64");
  return { metadata: {}, type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": config } };
}

function kubeconfigOf(contexts: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    contexts: Object.keys(contexts).map((name) => ({ name, context: { cluster: name } })),
    clusters: Object.entries(contexts).map(([name, server]) => ({ name, cluster: { server } })),
  });
}
