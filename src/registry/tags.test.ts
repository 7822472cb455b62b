import { describe, expect, it } from "vitest";
import { client, type Handler, serve } from "./testing.ts";

async function list(handler: Handler) {
  const server = await serve(handler);
  return { server, tags: client().tags(server.repository, {}) };
}

function page(tags: unknown, link?: string): Handler {
  return (_, response) =>
    response.writeHead(200, link === undefined ? {} : { link }).end(JSON.stringify({ name: "app", tags }));
}

describe("tags", () => {
  it("follows the pages in order", async () => {
    const pages: Record<string, Handler> = {
      "/v2/app/tags/list?n=1000": page(["b", "a"], '</v2/app/tags/list?last=a&n=2>; rel="next"'),
      "/v2/app/tags/list?last=a&n=2": page(["c"], "<list?last=c>; rel=next"),
      "/v2/app/tags/list?last=c": page(["d"]),
    };
    const { tags } = await list((request, response, body) => pages[request.url ?? ""]?.(request, response, body));
    expect(await tags).toEqual(["b", "a", "c", "d"]);
  });

  it("leaves out what is no tag, and takes null for none", async () => {
    expect(await (await list(page(["1.0", "", "a b", "../x", 7, null, "\u001b[31m", "x".repeat(129)]))).tags).toEqual([
      "1.0",
    ]);
    expect(await (await list(page(null))).tags).toEqual([]);
  });

  it.each([
    ["http://127.0.0.1:1/v2/app/tags/list"],
    ["https://elsewhere.example/"],
    ["//elsewhere.example/v2/app/tags/list"],
    ["http://user@127.0.0.1/"],
  ])("does not follow a page to %s", async (address) => {
    const { tags, server } = await list(page(["a"], `<${address}>; rel="next"`));
    await expect(tags).rejects.toMatchObject({ code: "REDIRECT_REFUSED" });
    expect(server.asked).toHaveLength(1);
  });

  it("notices pages that go round", async () => {
    const { tags, server } = await list(page(["a"], '</v2/app/tags/list?last=a>; rel="next"'));
    await expect(tags).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining("never ends"),
    });
    expect(server.asked.length).toBeLessThan(4);
  });

  it("notices pages that never end", async () => {
    let last = 0;
    const { tags, server } = await list((request, response, body) => {
      last += 1;
      page([`t${last}`], `</v2/app/tags/list?last=${last}>; rel="next"`)(request, response, body);
    });
    await expect(tags).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    expect(server.asked).toHaveLength(1_001);
  });

  it.each([['{"tags":{}}'], ["[]"], ["<html>"], [""]])("refuses %j", async (body) => {
    const { tags } = await list((_, response) => response.end(body));
    await expect(tags).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });
});
