import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../support/clock.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { client, describeBytes, type Handler, serve, someBytes } from "../testing.ts";
import type { BlobProgress, RegistryOptions } from "../types.ts";

const content = someBytes(300_000);
const descriptor = describeBytes(content);
const etag = '"the-etag"';
let path = "";

beforeEach(() => {
  path = join(temporaryFolder(), "blob");
});

/** Whether the file has these bytes; far faster than an assertion about each of them. */
function holds(bytes: Uint8Array): boolean {
  return readFileSync(path).equals(bytes);
}

/** What the request asks for, from the first byte on or from the one that its range names. */
function startOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "bytes=0-")?.[1]);
}

function head(
  start: number,
  length = content.length - start,
  total = content.length,
): [number, Record<string, string>] {
  const common = { "content-length": String(length), etag };
  if (start === 0) return [200, common];
  return [206, { ...common, "content-range": `bytes ${start}-${start + length - 1}/${total}` }];
}

/** A server as it should be. */
function good(request: IncomingMessage, response: ServerResponse): void {
  const start = startOf(request);
  response.writeHead(...head(start)).end(content.subarray(start));
}

/** Sends `length` bytes of what is asked for, and then closes the connection. */
function breakOff(request: IncomingMessage, response: ServerResponse, length: number): void {
  const start = startOf(request);
  response.writeHead(...head(start));
  response.write(content.subarray(start, start + length), () => setImmediate(() => response.destroy()));
}

/** One handler for each request in turn; the last serves all further ones. */
function download(...handlers: Handler[]) {
  return downloadWith({}, ...handlers);
}

async function downloadWith(options: RegistryOptions, ...handlers: Handler[]) {
  const server = await serve((request, response, body) => {
    handlers[Math.min(server.asked.length, handlers.length) - 1]?.(request, response, body);
  });
  const asking = client(options);
  const progress: BlobProgress[] = [];
  const outcome = asking
    .download(server.repository, { descriptor, path }, { onProgress: (report) => progress.push(report) })
    .then(() => "complete" as const);
  const ranges = () => server.asked.map(({ headers }) => headers.range);
  return { server, outcome, progress, ranges, waits: asking.waits };
}

describe("a download", () => {
  it("is complete, private and reported", async () => {
    const { outcome, progress, server } = await download(good);
    expect(await outcome).toBe("complete");
    expect(holds(content)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(progress.at(-1)).toEqual({ digest: descriptor.digest, received: content.length, resumed: 0 });
    expect(server.asked[0]?.headers).toMatchObject({ "accept-encoding": "identity" });
    expect(server.asked[0]?.headers.range).toBeUndefined();
  });

  it("of nothing asks nobody", async () => {
    const server = await serve(() => undefined);
    const empty = describeBytes(Buffer.alloc(0));
    await client().download(server.repository, { descriptor: empty, path }, {});
    expect(readFileSync(path)).toHaveLength(0);
    expect(server.asked).toEqual([]);
  });

  it("goes on where an earlier attempt stopped", async () => {
    writeFileSync(path, content.subarray(0, 1000));
    const { outcome, progress, ranges } = await download(good);
    expect(await outcome).toBe("complete");
    expect(ranges()).toEqual(["bytes=1000-"]);
    expect(holds(content)).toBe(true);
    expect(progress.at(-1)).toEqual({ digest: descriptor.digest, received: content.length, resumed: 1000 });
  });

  it("asks for nothing when an earlier attempt had it all", async () => {
    writeFileSync(path, content);
    const { outcome, server } = await download(good);
    expect(await outcome).toBe("complete");
    expect(server.asked).toEqual([]);
  });

  it.each([
    ["is wrong", Buffer.alloc(1000)],
    ["is as long as the blob but wrong", Buffer.alloc(content.length)],
    ["is longer than the blob", Buffer.concat([content, Buffer.from("x")])],
  ])("begins anew when what an earlier attempt left %s", async (_, left) => {
    writeFileSync(path, left);
    const { outcome, progress } = await download(good);
    expect(await outcome).toBe("complete");
    expect(holds(content)).toBe(true);
    expect(progress.at(-1)?.resumed).toBe(0);
  });

  it("goes on after every broken connection, at once as long as there is progress", async () => {
    const { outcome, ranges, waits, server } = await download((request, response) =>
      breakOff(request, response, 65_536),
    );
    expect(await outcome).toBe("complete");
    expect(
      ranges()
        .slice(1)
        .every((range) => range !== undefined),
    ).toBe(true);
    expect(server.asked.length).toBeGreaterThanOrEqual(5);
    expect(server.asked[1]?.headers["if-range"]).toBe(etag);
    expect(waits).toEqual([]);
    expect(holds(content)).toBe(true);
  });

  it("gives up after several attempts that bring nothing, and keeps what it has", async () => {
    const { outcome, server, waits } = await download(
      (request, response) => breakOff(request, response, 100_000),
      (request, response) => breakOff(request, response, 0),
    );
    await expect(outcome).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(server.asked).toHaveLength(6);
    expect(waits).toEqual([500, 1_500, 4_500, 10_000]);
    expect(statSync(path).size).toBeGreaterThan(0);
    expect(holds(content.subarray(0, statSync(path).size))).toBe(true);
  });

  it("notices a source that stalls, and asks again", async () => {
    const stall: Handler = (_, response) => response.writeHead(...head(0)).write(content.subarray(0, 50_000));
    const { outcome, ranges } = await downloadWith({ stallTimeout: 300 }, stall, good);
    expect(await outcome).toBe("complete");
    expect(ranges()[1]).toMatch(/^bytes=\d+-$/);
  });

  it("says that a source stalls for good", async () => {
    const silent: Handler = (_, response) => response.writeHead(...head(0)).flushHeaders();
    const { outcome } = await downloadWith({ stallTimeout: 50 }, silent);
    await expect(outcome).rejects.toMatchObject({ code: "REGISTRY_STALLED" });
  });

  it("waits as long as a busy registry asks", async () => {
    const { outcome, waits } = await download(
      (_, response) => response.writeHead(429, { "retry-after": "9" }).end(),
      good,
    );
    expect(await outcome).toBe("complete");
    expect(waits).toEqual([10_000]);
  });

  it.each([
    [404, "REGISTRY_NOT_FOUND"],
    [403, "REGISTRY_FORBIDDEN"],
    [401, "REGISTRY_UNAUTHORIZED"],
    [204, "REGISTRY_PROTOCOL"],
  ])("ends at once with %i", async (status, code) => {
    const { outcome, server } = await download((_, response) => response.writeHead(status).end());
    await expect(outcome).rejects.toMatchObject({ code });
    expect(server.asked).toHaveLength(1);
  });

  it("stops when the caller gives up, and keeps what it has", async () => {
    const controller = new AbortController();
    const server = await serve((_, response) => response.writeHead(...head(0)).write(content.subarray(0, 200_000)));
    const call = { signal: controller.signal, onProgress: () => controller.abort() };
    const outcome = client().download(server.repository, { descriptor, path }, call);
    await expect(outcome).rejects.toMatchObject({ code: "CANCELLED" });
    expect(statSync(path).size).toBeGreaterThan(0);
    expect(holds(content.subarray(0, statSync(path).size))).toBe(true);
  });
});

it("a download that the caller gives up between two attempts is cancelled", async () => {
  const controller = new AbortController();
  const server = await serve((_, response) => {
    response.writeHead(503).end();
    setTimeout(() => controller.abort(new Error("enough")), 20);
  });
  const call = { signal: controller.signal };
  const outcome = client({}, { clock: systemClock }).download(server.repository, { descriptor, path }, call);
  await expect(outcome).rejects.toMatchObject({ code: "CANCELLED" });
});

describe("a part that was asked for", () => {
  beforeEach(() => writeFileSync(path, content.subarray(0, 1000)));
  const part = (
    status: number,
    headers: Record<string, string>,
    body: Uint8Array = content.subarray(1000),
  ): Handler => {
    return (_, response) => response.writeHead(status, headers).end(body);
  };

  it("may be the whole instead", async () => {
    const whole: Handler = (_, response) => response.writeHead(...head(0)).end(content);
    const { outcome, progress, server } = await download(whole);
    expect(await outcome).toBe("complete");
    expect(server.asked).toHaveLength(1);
    expect(progress.at(-1)?.resumed).toBe(0);
  });

  it("may come in parts itself", async () => {
    const { outcome, ranges } = await download((request, response) => {
      const start = startOf(request);
      const length = Math.min(100_000, content.length - start);
      response.writeHead(...head(start, length)).end(content.subarray(start, start + length));
    });
    expect(await outcome).toBe("complete");
    expect(ranges()).toEqual(["bytes=1000-", "bytes=101000-", "bytes=201000-"]);
  });

  const rest = content.length - 1000;
  const last = content.length - 1;
  it.each([
    ["begins elsewhere", part(206, { "content-range": `bytes 999-${last}/${content.length}` })],
    ["is of another whole", part(206, { "content-range": `bytes 1000-${last}/${content.length + 1}` })],
    ["is of a whole of unknown length", part(206, { "content-range": `bytes 1000-${last}/*` })],
    ["ends beyond the whole", part(206, { "content-range": `bytes 1000-${last + 1}/${content.length}` })],
    ["does not say what it is", part(206, { "content-length": String(rest) })],
    ["is several", part(206, { "content-type": "multipart/byteranges; boundary=x" })],
    ["cannot be had", part(416, { "content-range": `bytes */${content.length}` }, Buffer.alloc(0))],
  ])("and %s is not used: the whole is asked for", async (_, bad) => {
    const { outcome, ranges } = await download(bad, good);
    expect(await outcome).toBe("complete");
    expect(ranges()).toEqual(["bytes=1000-", undefined]);
    expect(holds(content)).toBe(true);
  });

  it("and does not fit the part that is there makes for one more attempt, with the whole", async () => {
    writeFileSync(path, Buffer.alloc(1000));
    const { outcome, ranges } = await download(good);
    expect(await outcome).toBe("complete");
    expect(ranges()).toEqual(["bytes=1000-", undefined]);
  });
});

describe("wrong content", () => {
  const wrong = Buffer.alloc(content.length);
  it("is reported at once, and not left in the file", async () => {
    const { outcome, server } = await download((_, response) => response.end(wrong));
    await expect(outcome).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(server.asked).toHaveLength(1);
    expect(statSync(path).size).toBe(0);
  });

  it("is asked for only once more when it came in pieces", async () => {
    writeFileSync(path, content.subarray(0, 1000));
    const { outcome, server } = await download((request, response) => {
      const start = startOf(request);
      response.writeHead(...head(start)).end(wrong.subarray(start));
    });
    await expect(outcome).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(server.asked).toHaveLength(2);
    expect(statSync(path).size).toBe(0);
  });

  const longer = Buffer.concat([content, Buffer.from("more")]);
  const chunked = { "transfer-encoding": "chunked" };
  it.each<[string, Record<string, string>, Uint8Array, string]>([
    ["announced as longer", {}, longer, "SIZE_MISMATCH"],
    ["announced as shorter", {}, content.subarray(1), "SIZE_MISMATCH"],
    ["longer", chunked, longer, "SIZE_MISMATCH"],
    ["shorter", chunked, content.subarray(1), "SIZE_MISMATCH"],
    ["a web page", { "content-type": "text/html" }, Buffer.from("<html>"), "REGISTRY_PROTOCOL"],
    ["encoded", { "content-encoding": "gzip" }, content, "REGISTRY_PROTOCOL"],
  ])("that is %s is refused", async (_, headers, body, code) => {
    const { outcome, server } = await download((_request, response) => {
      const length = "transfer-encoding" in headers ? {} : { "content-length": String(body.length) };
      response.writeHead(200, { ...length, ...headers }).end(body);
    });
    await expect(outcome).rejects.toMatchObject({ code });
    expect(server.asked).toHaveLength(1);
    expect(statSync(path).size).toBe(0);
  });

  it("that is a part nobody asked for is refused", async () => {
    const { outcome } = await download((_, response) =>
      response.writeHead(206, { "content-range": "bytes 0-1/2" }).end("ab"),
    );
    await expect(outcome).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });
});

describe("the file", () => {
  it("is never reached through a link", async () => {
    const elsewhere = join(temporaryFolder(), "elsewhere");
    writeFileSync(elsewhere, "mine");
    symlinkSync(elsewhere, path);
    const { outcome, server } = await download(good);
    await expect(outcome).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(readFileSync(elsewhere, "utf8")).toBe("mine");
    expect(server.asked).toEqual([]);
  });

  it("cannot be a folder", async () => {
    mkdirSync(path);
    const { outcome } = await download(good);
    await expect(outcome).rejects.toMatchObject({ code: "STORE_FAILED", message: expect.stringContaining(path) });
  });

  it.runIf(process.getuid?.() === 0)("is told about when the disk is full", async () => {
    symlinkSync("/dev/full", path);
    chmodSync("/dev/full", 0o666);
    const { BlobFile } = await import("../../support/blob-file.ts");
    const { openSync } = await import("node:fs");
    const file = new BlobFile({ descriptor, path }, openSync("/dev/full", "r+"));
    expect(() => file.append(content)).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    await file.close();
  });
});
