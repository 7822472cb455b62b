/** Places to fetch from that cannot be trusted: what they send is given to nobody, and the next place is asked. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { ask } from "../../src/mirror/testing/asking.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { serve } from "../../src/registry/testing.ts";
import { realMirror } from "./real-mirror.ts";

type Lie = (request: IncomingMessage, response: ServerResponse, truth: Buffer, headers: Record<string, string>) => void;

/** What a bad place sends in the place of the bytes that it was asked for. */
const lies: Readonly<Record<string, Lie>> = {
  "wrong bytes": (_, response, truth, headers) => {
    response.writeHead(200, headers).end(Buffer.alloc(truth.length, "x"));
  },
  "too few bytes, and then nothing": (_, response, truth, headers) => {
    response.writeHead(200, headers).write(truth.subarray(0, truth.length / 2));
    setTimeout(() => response.destroy(), 5);
  },
  "fewer bytes than there are": (_, response, truth) => {
    response.writeHead(200, { "content-length": `${truth.length - 1}` }).end(truth.subarray(1));
  },
  "more bytes than there are": (_, response, truth) => {
    response.writeHead(200).end(Buffer.concat([truth, Buffer.from("more")]));
  },
  "a head without end": (_, response, truth, headers) => {
    response.writeHead(200, { ...headers, padding: "x".repeat(100_000) }).end(truth);
  },
  "a web page": (_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>log in here</html>");
  },
  "an encoding that nobody asked for": (_, response, truth, headers) => {
    response.writeHead(200, { ...headers, "content-encoding": "gzip" }).end(truth);
  },
  "a redirect in a circle": ({ url }, response) => {
    response.writeHead(307, { location: url ?? "/" }).end();
  },
  "a failure": (_, response) => {
    response.writeHead(500).end();
  },
};

describe.each(Object.keys(lies))("a mirror of the registry that sends %s", (name) => {
  test.each(["manifests", "blobs"])("in the place of %s", async (kind) => {
    const lie = lies[name];
    const registry = await startRegistry();
    onTestFinished(() => registry.close());
    const image = await buildImage({ layers: [{ files: { "etc/motd": "hello" } }, { filler: 200_000 }], seed: name });
    registry.addImage("shop/app:1", image);
    const truth = `http://${registry.host}`;
    let lied = 0;
    const bad = await serve(async (request, response) => {
      const path = request.url?.replace(/\?.*$/, "") ?? "";
      const real = await ask(truth, path, { method: request.method ?? "GET" });
      const { "content-type": type = "", "docker-content-digest": digest } = real.headers;
      const headers = {
        "content-type": type,
        "content-length": `${real.headers["content-length"]}`,
        ...(typeof digest === "string" && { "docker-content-digest": digest }),
      };
      // A name is told truly: of that a mirror is believed.
      if (request.method === "HEAD" || !path.includes(`/${kind}/`)) {
        response.writeHead(real.status, headers).end(real.body);
        return;
      }
      lied += 1;
      lie?.(request, response, real.body, headers);
    });
    const policy = policyOf(`{ name: near, from: { mirrors: ["${bad.origin}"] } }`);
    const { ask: asking } = await realMirror({ policy: () => policy });
    const get = async (what: string) => asking(`/v2/shop/app/${what}?ns=${registry.host}`);
    const manifest = await get("manifests/1");
    expect([manifest.status, manifest.headers["docker-content-digest"]]).toEqual([200, image.target.digest]);
    for (const [digest, { kind: what, bytes }] of image.content) {
      const reply = await get(`${what}s/${digest}`);
      expect([digest, reply.status, reply.body.equals(bytes)]).toEqual([digest, 200, true]);
    }
    expect(lied).toBeGreaterThan(0);
  });
});
