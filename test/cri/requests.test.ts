import { describe, expect, test } from "vitest";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { type Client, startCri } from "./server.ts";
import { outcome } from "./shop.ts";

const { method } = ImageService;

describe("requests that cannot be meant", () => {
  test.each<[string, (client: Client) => Promise<unknown>, string]>([
    [
      "PullImage of nothing",
      ({ channel }) => channel.unary(method.pullImage, {}),
      "INVALID_ARGUMENT: no image is named in the request",
    ],
    [
      "PullImage of an empty spec",
      ({ channel }) => channel.unary(method.pullImage, { image: {} }),
      "INVALID_ARGUMENT: no image is named in the request",
    ],
    [
      "ImageStatus of an empty spec",
      ({ channel }) => channel.unary(method.imageStatus, { image: {} }),
      "INVALID_ARGUMENT: no image is named in the request",
    ],
    [
      "RemoveImage of an empty spec",
      ({ channel }) => channel.unary(method.removeImage, { image: {} }),
      "INVALID_ARGUMENT: no image is named in the request",
    ],
    [
      "ListImages with an empty filter",
      ({ channel }) => channel.unary(method.listImages, { filter: { image: {} } }),
      "OK",
    ],
    [
      "PullImage of an id",
      ({ channel }) => channel.unary(method.pullImage, { image: { image: `sha256:${"a".repeat(64)}` } }),
      `INVALID_ARGUMENT: "sha256:${"a".repeat(64)}" is an image's id, not a name under which it could be pulled`,
    ],
    [
      "PullImage of no name",
      ({ channel }) => channel.unary(method.pullImage, { image: { image: "Not A Name" } }),
      `INVALID_ARGUMENT: couldn't parse image name "Not A Name": invalid reference format: repository name (library/Not A Name) must be lowercase`,
    ],
    [
      "PullImage for an unknown runtime handler",
      ({ channel }) => channel.unary(method.pullImage, { image: { image: "a", runtimeHandler: "kata" } }),
      'INVALID_ARGUMENT: the runtime handler "kata" is not known here',
    ],
    [
      "ImageStatus for an unknown runtime handler",
      ({ channel }) => channel.unary(method.imageStatus, { image: { image: "a", runtimeHandler: "kata" } }),
      'INVALID_ARGUMENT: the runtime handler "kata" is not known here',
    ],
  ])("%s", async (_title, call, expected) => {
    const { client } = await startCri();
    expect(await outcome(call(client))).toBe(expected);
  });
});
