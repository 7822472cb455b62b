import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { parseReference } from "../image/index.ts";
import type { StoredTagPage, TagPages } from "./tag-pages.ts";
import { client, type Handler, serve } from "./testing.ts";

/** Pieces are the business of other tests, and a thousand pages would be many. */
async function list(handler: Handler) {
  const server = await serve(handler, "direct");
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

  it("lists 100 000 tags, each once, whatever the pages repeat", async () => {
    const all = Array.from({ length: 100_000 }, (_, at) => `1.${at}`);
    const size = 997;
    const { tags, server } = await list((request, response, body) => {
      const from = Number(new URL(request.url ?? "", "http://x").searchParams.get("last") ?? 0);
      const link = from + size < all.length ? `</v2/app/tags/list?n=1000&last=${from + size}>; rel="next"` : undefined;
      // Each page begins with the last tags of the one before.
      page(all.slice(Math.max(0, from - 3), from + size), link)(request, response, body);
    });
    expect(await tags).toEqual(all);
    expect(server.asked).toHaveLength(101);
  });

  it("takes a list that comes in one page, as many registries send it", async () => {
    const all = Array.from({ length: 100_000 }, (_, at) => `main-${"0".repeat(60)}-${at}`);
    expect(await (await list(page(all))).tags).toEqual(all);
  });

  it.each<[string, string]>([
    ["absolute", "ORIGIN/v2/app/tags/list?last=a"],
    ["with the port of the scheme left as it is", "ORIGIN/v2/app/tags/list?last=a#x"],
    ["relative to the path", "list?last=a"],
    ["only a query", "?last=a"],
    ["without the first part of the path, as Artifactory says it", "/app/tags/list?last=a"],
    ["with escaped slashes", "/v2%2Fapp%2Ftags%2Flist?last=a"],
  ])("follows a next page %s", async (_what, address) => {
    const { tags, server } = await list((request, response, body) => {
      const link = `<${address.replace("ORIGIN", server.origin)}>; rel="next"`;
      (request.url?.includes("last") ? page(["b"]) : page(["a"], link))(request, response, body);
    });
    expect(await tags).toEqual(["a", "b"]);
    expect(server.asked.at(-1)?.line).toBe("GET /v2/app/tags/list?last=a");
  });

  it.each<[string, string]>([
    ["the second of two links", '</v2/app/tags/list?last=0>; rel="prev", <?last=a>; rel="next"'],
    ["a link with several relations", '<?last=a>; title="a, b>"; rel="last next"'],
    ["a link without quotes, in capitals", "<?last=a>;REL=NEXT"],
  ])("finds the next page in %s", async (_what, link) => {
    const { tags } = await list((request, response, body) => {
      (request.url?.endsWith("last=a") ? page(["b"]) : page(["a"], link))(request, response, body);
    });
    expect(await tags).toEqual(["a", "b"]);
  });

  it.each<[string, string]>([
    ["of another relation", '<?last=a>; rel="prev"'],
    ["that only looks like one", '<?last=a>; title="rel=next"'],
    ["for a word that begins so", "<?last=a>; rel=nextish"],
    ["that is none", "?last=a; rel=next"],
  ])("takes no link %s", async (_what, link) => {
    const { tags, server } = await list(page(["a"], link));
    expect(await tags).toEqual(["a"]);
    expect(server.asked).toHaveLength(1);
  });

  it("goes on where it began when the list is answered elsewhere", async () => {
    const other = await serve((request, response, body) => {
      const link = '</v2/moved/app/tags/list?last=a>; rel="next"';
      (request.url?.includes("last") ? page(["b"]) : page(["a"], link))(request, response, body);
    });
    const { tags, server } = await list((request, response) => {
      const { search } = new URL(request.url ?? "", "http://x");
      response.writeHead(307, { location: `${other.origin}/v2/moved/app/tags/list${search}` }).end();
    });
    expect(await tags).toEqual(["a", "b"]);
    expect(server.asked.map(({ line }) => line)).toEqual([
      "GET /v2/app/tags/list?n=1000",
      "GET /v2/app/tags/list?last=a",
    ]);
  });

  it("tells a mirror of each page which registry is meant", async () => {
    const server = await serve((request, response, body) => {
      (request.url?.includes("last") ? page(["b"]) : page(["a"], "<?last=a&ns=evil.io>; rel=next"))(
        request,
        response,
        body,
      );
    });
    const { repository } = parseReference("docker.io/library/app");
    expect(await client().tags(repository, { mirror: server.origin })).toEqual(["a", "b"]);
    for (const { line } of server.asked) expect(line).toMatch(/[?&]ns=docker\.io$/);
  });
});

/** What a list answers, and what the caller is told. */
const lies: readonly (readonly [string, Handler, code: string, text: RegExp, requests: number])[] = [
  ...[
    "http://127.0.0.1:1/v2/app/tags/list?last=a",
    "https://elsewhere.example/v2/app/tags/list",
    "//elsewhere.example/v2/app/tags/list",
    "http://user@127.0.0.1/",
    "/v2/other/tags/list?last=a",
    "/v2/team/app/tags/list?last=a",
    "/v2/app/../other/tags/list",
    "/v2/tags/list",
    "/v2/app/manifests/list",
    "/v2/app/tags/list/",
    "file:///etc/passwd",
    `?last=${"x".repeat(17_000)}`,
  ].map(
    (address) =>
      [
        `a next page at ${address.slice(0, 60)}`,
        page(["a"], `<${address}>; rel="next"`),
        "REDIRECT_REFUSED",
        /said to be elsewhere/,
        1,
      ] as const,
  ),
  ["a next page that is the page itself", page(["a"], '<?n=1000>; rel="next"'), "REGISTRY_PROTOCOL", /never ends/, 1],
  ["a page that is always the same one", page(["a"], '<?last=a>; rel="next"'), "REGISTRY_PROTOCOL", /never ends/, 2],
  ["a circle", circle, "REGISTRY_PROTOCOL", /never ends/, 4],
  ["pages that bring nothing new", growing(() => ["a"]), "REGISTRY_PROTOCOL", /never ends/, 22],
  ["pages of nothing", growing(() => []), "REGISTRY_PROTOCOL", /never ends/, 21],
  ["pages without an end", growing((at) => [`t${at}`]), "REGISTRY_PROTOCOL", /never ends/, 1_001],
  ["a page that is too large", (_, response) => pour(response), "TOO_LARGE", /more than the 16777216 bytes/, 1],
  ["a list that breaks off", breakOff, "REGISTRY_UNREACHABLE", /EOF|closed|aborted/, 4],
  ["half a list", text('{"tags":["a",'), "REGISTRY_PROTOCOL", /not a list of tags/, 1],
  ["a web page", text("<html>", "text/html; charset=utf-8"), "REGISTRY_PROTOCOL", /a web page instead/, 1],
  ["an object", text('{"tags":{}}'), "REGISTRY_PROTOCOL", /not a list of tags/, 1],
  ["a list without a name", text("[]"), "REGISTRY_PROTOCOL", /not a list of tags/, 1],
  ["nothing", text(""), "REGISTRY_PROTOCOL", /not a list of tags/, 1],
  ["204", status(204), "REGISTRY_PROTOCOL", /204/, 1],
  ["304, which nobody has asked for", status(304), "REGISTRY_PROTOCOL", /304/, 1],
  ["401", status(401), "REGISTRY_UNAUTHORIZED", /401/, 1],
  ["403", status(403), "REGISTRY_FORBIDDEN", /403/, 1],
  ["404", status(404), "REGISTRY_NOT_FOUND", /404/, 1],
  ["405", status(405), "REGISTRY_PROTOCOL", /405/, 1],
  ["501", status(501), "REGISTRY_PROTOCOL", /501/, 1],
  ["500", status(500), "REGISTRY_UNAVAILABLE", /500/, 4],
];

describe("a list of tags", () => {
  it.each(lies)("that is %s has its own answer", async (_what, handler, code, said, requests) => {
    const { tags, server } = await list(handler);
    await expect(tags).rejects.toMatchObject({ code, message: expect.stringMatching(said) });
    expect(server.asked).toHaveLength(requests);
  });

  it.each([
    [403, /^Log in/],
    [404, /knows none of this name/],
    [405, /gives no list/],
    [501, /gives no list/],
  ])("is advised of as a list, not as an image, after %i", async (code, advice) => {
    const { tags } = await list(status(code));
    await expect(tags).rejects.toMatchObject({ advice: expect.stringMatching(advice) });
  });
});

describe("pages that are kept", () => {
  function memory(): TagPages & { readonly kept: Map<string, StoredTagPage> } {
    const kept = new Map<string, StoredTagPage>();
    return { kept, get: ({ href }) => kept.get(href), put: ({ href }, stored) => kept.set(href, stored) };
  }

  /** Two pages, each with a validator, which are not sent again while they are the same. */
  function validating(second: () => { readonly tags: readonly string[]; readonly etag: string }): Handler {
    return (request, response) => {
      const isSecond = request.url?.includes("last") === true;
      const { tags, etag } = isSecond ? second() : { tags: ["a"], etag: '"1"' };
      if (request.headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
      const link = isSecond ? {} : { link: '</v2/app/tags/list?last=a>; rel="next"' };
      return response.writeHead(200, { etag, ...link }).end(JSON.stringify({ tags }));
    };
  }

  it("are asked for with what the registry called them", async () => {
    const pages = memory();
    let second = { tags: ["b"], etag: 'W/"2"' };
    const server = await serve(validating(() => second));
    const listed = () => client().tags(server.repository, { pages });
    expect(await listed()).toEqual(["a", "b"]);
    expect(await listed()).toEqual(["a", "b"]);
    second = { tags: ["b", "c"], etag: '"3"' };
    expect(await listed()).toEqual(["a", "b", "c"]);
    expect(server.asked.map(({ headers }) => headers["if-none-match"])).toEqual([
      undefined,
      undefined,
      '"1"',
      'W/"2"',
      '"1"',
      'W/"2"',
    ]);
    expect([...pages.kept.values()].map(({ etag }) => etag)).toEqual(['"1"', '"3"']);
  });

  it("are asked for by their date where that is all there is", async () => {
    const pages = memory();
    const date = "Wed, 21 Oct 2015 07:28:00 GMT";
    const server = await serve((request, response) =>
      request.headers["if-modified-since"] === date
        ? response.writeHead(304).end()
        : response.writeHead(200, { "last-modified": date }).end('{"tags":["a"]}'),
    );
    for (const _ of [1, 2]) expect(await client().tags(server.repository, { pages })).toEqual(["a"]);
    expect(server.asked.at(-1)?.headers["if-modified-since"]).toBe(date);
  });

  it.each<[string, Record<string, string>]>([
    ["no validators", {}],
    ["validators that are none", { etag: "bare", "last-modified": "yesterday" }],
    ["an endless one", { etag: `"${"x".repeat(2_000)}"` }],
  ])("are not kept with %s", async (_what, headers) => {
    const pages = memory();
    const server = await serve((_, response) => response.writeHead(200, headers).end('{"tags":["a"]}'));
    await client().tags(server.repository, { pages });
    expect(pages.kept.size).toBe(0);
  });

  it.each<[number, string]>([
    [401, "REGISTRY_UNAUTHORIZED"],
    [403, "REGISTRY_FORBIDDEN"],
    [404, "REGISTRY_NOT_FOUND"],
  ])("are of no use to who is answered %i", async (answer, code) => {
    const pages = memory();
    let mayList = true;
    const good = validating(() => ({ tags: ["b"], etag: '"2"' }));
    const server = await serve((request, response, body) =>
      mayList ? good(request, response, body) : response.writeHead(answer).end(),
    );
    await client().tags(server.repository, { pages });
    mayList = false;
    await expect(client().tags(server.repository, { pages })).rejects.toMatchObject({ code });
  });

  it.each([["http://127.0.0.1:1/v2/app/tags/list?last=a"], ["/v2/other/tags/list?last=a"]])(
    "lead no further than the registry's own word: %s",
    async (next) => {
      const pages = memory();
      const server = await serve(validating(() => ({ tags: ["b"], etag: '"2"' })));
      await client().tags(server.repository, { pages });
      for (const [href, stored] of pages.kept) pages.kept.set(href, { ...stored, next });
      await expect(client().tags(server.repository, { pages })).rejects.toMatchObject({ code: "REDIRECT_REFUSED" });
    },
  );
});

function text(body: string, type = "application/json"): Handler {
  return (_, response) => response.writeHead(200, { "content-type": type }).end(body);
}

function status(code: number): Handler {
  return (_, response) => response.writeHead(code).end();
}

function growing(tags: (at: number) => readonly string[]): Handler {
  let at = 0;
  return (request, response, body) => {
    at += 1;
    page(tags(at), `</v2/app/tags/list?last=${at}>; rel="next"`)(request, response, body);
  };
}

function circle(request: IncomingMessage, response: ServerResponse, body: string): void {
  const at = Number(/last=(\d)/.exec(request.url ?? "")?.[1] ?? 0);
  page([`t${at}`], `</v2/app/tags/list?last=${(at % 3) + 1}>; rel="next"`)(request, response, body);
}

function breakOff(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"tags":["a"', () => setImmediate(() => response.destroy()));
}

function pour(response: ServerResponse): void {
  response.on("error", () => undefined);
  response.writeHead(200);
  response.write('{"tags":["a"');
  const piece = `,"${"a".repeat(1_000_000)}"`;
  // Node 26 calls back with an error, and again at once, before it says that the connection is gone.
  const more = (error?: Error | null) => {
    if (!error && !response.destroyed) response.write(piece, more);
  };
  more();
}
