import { describe, expect, it } from "vitest";
import { parseReference } from "../image/index.ts";
import type { PullSecret } from "../workload/index.ts";
import { secretNotes } from "./pull-secrets.ts";

const login = { username: "ann", password: "Canary7ann" };

function secret(name: string, content: unknown): PullSecret {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { uid: name, namespace: "prod", name, type: "kubernetes.io/dockerconfigjson", content: text };
}

function notes(image: string, ...found: readonly PullSecret[]): readonly string[] {
  const names = found.map(({ name }) => name);
  return secretNotes({ namespace: "prod", imagePullSecrets: names }, found, parseReference(image).repository).notes;
}

const forHosts = (...hosts: readonly string[]) =>
  secret("s", { auths: Object.fromEntries(hosts.map((host) => [host, login])) });

describe("a Secret that a pod names", () => {
  it.each([
    ["r.io:5000/app", ["r.io"], "is for r.io, without the port: the image's registry is r.io:5000"],
    ["r.io/app", ["https://r.io:443/v2/"], "is for r.io:443, with a port: the image's registry is r.io"],
    ["r.io:5000/app", ["r.io:5001"], "is for r.io:5001, with another port: the image's registry is r.io:5000"],
    ["r.io/app", [], "has no login in it"],
    ["nginx", ["r.io", "s.io"], "is for r.io, s.io, and the image is docker.io/library/nginx"],
    ["r.io/team/app", ["r.io/other"], "is for r.io/other, and the image is r.io/team/app"],
    ["r.io/app", ["https://index.docker.io/v1/"], "is for index.docker.io/v1/, and the image is r.io/app"],
  ])("for %s, of %j: %s", (image, hosts, problem) => {
    expect(notes(image, forHosts(...hosts))).toEqual([`the Secret prod/s ${problem}`]);
  });

  it.each([
    ["r.io/app", "r.io"],
    ["r.io:5000/team/app", "https://r.io:5000/team"],
    ["nginx", "https://index.docker.io/v1/"],
    ["a.r.io/app", "*.r.io"],
  ])("is not among them if it is for %s: %s", (image, host) => expect(notes(image, forHosts(host))).toEqual([]));

  it("may be missing, or not to be read; nothing of its login is told", () => {
    const found = [secret("broken", `{"auths": "${login.password}`), secret("none", "")];
    const named = { namespace: "prod", imagePullSecrets: ["broken", "gone", "none", "gone"] };
    const { notes: said, advice } = secretNotes(named, found, parseReference("r.io/app").repository);
    expect(said).toEqual([
      "the Secret prod/broken cannot be read",
      "the Secret prod/gone does not exist",
      "the Secret prod/none has no login in it",
    ]);
    expect(advice).toContain("kubectl create secret docker-registry NAME -n prod --docker-server=r.io");
    expect([...said, advice].join()).not.toContain(login.password);
  });

  it("counts in the pod's own namespace only", () => {
    const named = { namespace: "dev", imagePullSecrets: ["s"] };
    const { notes: said } = secretNotes(named, [forHosts("r.io")], parseReference("r.io/app").repository);
    expect(said).toEqual(["the Secret dev/s does not exist"]);
  });
});
