/** What people see who point crictl at the socket. */
import { expect, test } from "vitest";
import { describeWith, run } from "../tools.ts";
import { startCri } from "./server.ts";
import { ann, openShop } from "./shop.ts";

describeWith(["crictl"], "crictl", ({ crictl }) => {
  const shop = openShop();

  async function start() {
    const { socket } = await startCri();
    const call = (...args: readonly string[]) => {
      const endpoint = `unix://${socket}`;
      return run(crictl, [
        "--runtime-endpoint",
        endpoint,
        "--image-endpoint",
        endpoint,
        "--config",
        "/dev/null",
        ...args,
      ]);
    };
    return { call, callFailing: (...args: readonly string[]) => call(...args).then(() => "", String) };
  }

  test("pulls, lists, inspects and removes", async () => {
    const { call } = await start();
    const { publicImage } = shop();
    const pulled = await call("pull", publicImage);
    const id = /sha256:[0-9a-f]{64}/.exec(pulled)?.[0] ?? "";
    expect(pulled).toBe(`Image is up to date for ${id}\n`);

    const table = await call("images", "--no-trunc");
    expect(table.split("\n")[1]?.split(/\s+/).slice(0, 3)).toEqual([publicImage.replace(/:1$/, ""), "1", id]);
    const { images } = JSON.parse(await call("images", "-o", "json", publicImage)) as { images: unknown[] };
    expect(images).toEqual([expect.objectContaining({ id, repoTags: [publicImage], pinned: false })]);

    const inspected = JSON.parse(await call("inspecti", id.slice("sha256:".length, 20))) as Record<string, never>;
    expect(inspected["status"]).toMatchObject({ id, repoTags: [publicImage] });
    expect(inspected["info"]).toMatchObject({ imageSpec: { config: { Labels: { tier: "web" } } } });

    expect(await call("rmi", publicImage)).toBe(`Deleted: ${publicImage}\n`);
    expect(await call("images", "-q")).toBe("");
  });

  test("logs in", async () => {
    const { call, callFailing } = await start();
    const { privateImage } = shop();
    expect(await callFailing("pull", privateImage)).toContain("401");
    expect(await call("pull", "--creds", `${ann.username}:${ann.password}`, privateImage)).toContain("sha256:");
    expect(await callFailing("pull", "--creds", "ann:wrong canary", privateImage)).not.toMatch(/desc = .*canary/);
  });

  test("says what the runtime is: an image service alone", async () => {
    const { call, callFailing } = await start();
    expect(await call("version")).toBe(
      "Version:  0.1.0\nRuntimeName:  pulley\nRuntimeVersion:  1.2.3\nRuntimeApiVersion:  v1\n",
    );
    const { status } = JSON.parse(await call("info")) as { status: unknown };
    expect(status).toMatchObject({
      conditions: [
        { type: "RuntimeReady", status: false, reason: "ImageServiceOnly" },
        { type: "NetworkReady", status: false, reason: "ImageServiceOnly" },
      ],
    });
    expect(await callFailing("pods")).toContain("start pulley node with --runtime");
  });

  test("knows how much room the images take", async () => {
    const { call } = await start();
    await call("pull", shop().publicImage);
    const { status } = JSON.parse(await call("imagefsinfo", "-o", "json")) as { status: Record<string, never[]> };
    expect(Number(status["imageFilesystems"]?.[0]?.["usedBytes"]?.["value"])).toBeGreaterThan(300_000);
    expect(status["containerFilesystems"]).toEqual(status["imageFilesystems"]);
  });
});
