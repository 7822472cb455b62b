import { describe, expect, it } from "vitest";
import { canonicalText, type Digest, parseDigest, type Reference } from "../../image/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { textAt } from "../../workload/index.ts";
import { type PinRequest, pinImages } from "./pin.ts";
import { planFixes } from "./plan.ts";
import { askingIn } from "./testing/asking.ts";

const digest = parseDigest(`sha256:${"ab".repeat(32)}`);

function podWith(...images: readonly string[]): string {
  const containers = images.map((image) => `  - image: ${image}\n    name: x\n`).join("");
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n${containers}`;
}

function requestsIn(text: string): PinRequest[] {
  return askingIn(text).map(({ source, field }) => ({ source, field, image: textAt(field.value, "image") ?? "" }));
}

/** Pins all images of a pod with a registry that is asked here. */
async function pin(images: readonly string[], resolve: (reference: Reference) => Promise<Digest>) {
  const text = podWith(...images);
  const result = await pinImages(requestsIn(text), { resolve, parallel: 2 });
  return { ...result, text: planFixes(text, "file.yaml", result.fixes).text };
}

describe("pinning", () => {
  it("keeps tags, and writes none that nobody chose", async () => {
    const { text } = await pin(["nginx:1.27", "nginx", "localhost:5000/a", "'q.io/b:c'"], async () => digest);
    expect(text).toBe(
      podWith(`nginx:1.27@${digest}`, `nginx@${digest}`, `localhost:5000/a@${digest}`, `'q.io/b:c@${digest}'`),
    );
  });

  it("asks once for each image, whatever its spelling", async () => {
    const asked: string[] = [];
    const spellings = ["nginx", "docker.io/library/nginx:latest", "docker.io/nginx", "nginx:1", "nginx:1"];
    const { fixes } = await pin(spellings, async (reference) => {
      asked.push(canonicalText(reference));
      return digest;
    });
    expect(asked).toEqual(["docker.io/library/nginx:latest", "docker.io/library/nginx:1"]);
    expect(fixes).toHaveLength(5);
  });

  it("leaves images alone that have a digest", async () => {
    const { fixes, failures, refused } = await pin([`nginx@${digest}`, `nginx:1@${digest}`], async () => {
      throw new Error("nobody should ask");
    });
    expect({ fixes, failures, refused }).toEqual({ fixes: [], failures: [], refused: [] });
  });

  it("tells of each image that fails, and pins the rest", async () => {
    const unreachable = new PulleyError("REGISTRY_UNREACHABLE", "no route");
    const { text, failures } = await pin(
      ["down.io/a", "nginx", "down.io/a:latest", "Not/An Image"],
      async ({ repository }) => {
        if (repository.registry === "down.io") throw unreachable;
        return digest;
      },
    );
    expect(text).toBe(podWith("down.io/a", `nginx@${digest}`, "down.io/a:latest", "Not/An Image"));
    expect(failures).toMatchObject([
      { image: "Not/An Image", requests: [{}], error: { code: "REFERENCE_INVALID" } },
      { image: "down.io/a", requests: [{ image: "down.io/a" }, { image: "down.io/a:latest" }], error: unreachable },
    ]);
  });

  it("tells of texts that it cannot change", async () => {
    const text = podWith('nginx # {{ "a template" }}');
    const { fixes, refused } = await pinImages(requestsIn(text), { resolve: async () => digest, parallel: 1 });
    expect(fixes).toEqual([]);
    expect(refused).toMatchObject([
      { request: { image: "nginx" }, reason: "the document is a template: it has {{ in it" },
    ]);
  });

  it("asks no more at once than it may", async () => {
    let now = 0;
    let most = 0;
    const images = Array.from({ length: 9 }, (_, index) => `image${index}`);
    const { fixes } = await pin(images, async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      return digest;
    });
    expect({ most, fixes: fixes.length }).toEqual({ most: 2, fixes: 9 });
  });
});
