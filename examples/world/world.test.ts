import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { shopImages } from "./images.ts";
import { createWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe("the example world", () => {
  test("has the example pods, in the order in which they are to be read", () => {
    expect(world.manifests.map(({ file }) => file)).toEqual([
      "examples/pods/1-pull.yaml",
      "examples/pods/2-confirm.yaml",
      "examples/pods/3-pinned.yaml",
      "examples/pods/4-never.yaml",
      "examples/pods/5-private.yaml",
      "examples/pods/6-wrong-secret.yaml",
      "examples/pods/7-invalid-name.yaml",
      "examples/pods/8-init-and-volume.yaml",
    ]);
  });

  test("has manifests that are YAML, and whose images are at its own registry", () => {
    for (const { file, text } of world.manifests) {
      for (const document of parseAllDocuments(text)) expect(document.errors, file).toEqual([]);
      for (const [, image = ""] of text.matchAll(/^\s+(?:image|reference): (\S+)$/gm)) {
        expect(image.startsWith(`${world.host}/`), `${file}: ${image}`).toBe(true);
      }
    }
  });

  test("has a pod that is pinned to the digest that its image really has", async () => {
    const digest = (await shopImages()).get("shop/ledger:7")?.target.digest;
    const pinned = world.manifests.find(({ file }) => file.endsWith("3-pinned.yaml"));
    expect(pinned?.text).toContain(`shop/ledger:7@${digest}`);
  });

  test("has every image that a pod names, save the one whose name is none", async () => {
    const names = new Set(
      world.manifests.flatMap(({ text }) =>
        [...text.matchAll(/: \S+?\/(\w+\/\w+:[\w.]+)(?:@\S+)?$/gm)].map((m) => m[1]),
      ),
    );
    expect([...names].sort()).toEqual([...(await shopImages()).keys(), "shop/Web:1.4"].sort());
  });

  test("asks for the login of the private image", async () => {
    const answer = await fetch(`http://${world.host}/v2/backoffice/payroll/manifests/3`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('scope="repository:backoffice/payroll:pull"');
  });
});
