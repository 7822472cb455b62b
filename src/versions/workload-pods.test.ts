import { describe, expect, it } from "vitest";
import { type LiveObjects, usedImages } from "./images.ts";

const config = (user: string) =>
  Buffer.from(JSON.stringify({ auths: { "ghcr.io": { username: user, password: "p" } } })).toString("base64");

/** A cluster with one pod that pulls with a Secret of its service account; every one has the same names. */
function cluster(name: string): readonly LiveObjects[] {
  const metadata = (own: string) => ({ namespace: "prod", name: own });
  const containers = [{ name: "app", image: "ghcr.io/acme/app:1" }];
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata("web"),
    spec: { containers, serviceAccountName: "robot" },
  };
  const account = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadata("robot"),
    imagePullSecrets: [{ name: "pull" }],
  };
  const type = "kubernetes.io/dockerconfigjson";
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata("pull"),
    type,
    data: { ".dockerconfigjson": config(name) },
  };
  return [
    { cluster: name, objects: [pod] },
    { cluster: name, objects: [account, secret] },
  ];
}

describe("the pods of workloads", () => {
  it("have the Secrets of their own cluster, whatever another one has under the same names", async () => {
    const live = (async function* () {
      yield* [...cluster("eu"), ...cluster("us")];
    })();
    const { images, pods } = await usedImages([], { live, environment: {}, stdin: process.stdin });
    expect(images).toHaveLength(1);
    const users = images
      .flatMap(({ workloads }) => workloads)
      .map(({ cluster: own, request }) => {
        const pod = pods.of(request);
        const secrets = pod === undefined ? [] : pods.secretsOf(pod);
        return [own, secrets.map(({ content }) => JSON.parse(content).auths["ghcr.io"].username)];
      });
    expect(users).toEqual([
      ["eu", ["eu"]],
      ["us", ["us"]],
    ]);
  });
});
