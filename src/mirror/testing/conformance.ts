/**
 * The pull category and the referrers of the distribution specification 1.1, as its conformance suite checks them of a
 * registry that can only be read; and the answers that section 7 of the facts about registries adds.
 */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ociIndex } from "../../image/index.ts";
import { ask, codeOf, type Question, type Reply } from "./asking.ts";

/** A registry, and what is in it. */
export interface Subject {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  readonly name: string;
  /** Tags of the repository, more than two. */
  readonly tags: readonly string[];
  /** What the first of them stands for. */
  readonly manifest: { readonly digest: string; readonly mediaType: string; readonly bytes: Buffer };
  /** A blob of that manifest, of more than ten bytes. */
  readonly blob: { readonly digest: string; readonly bytes: Buffer };
  /** A manifest of the repository whose subject is that manifest, with the artifact's type; absent where the store keeps none. */
  readonly referrer?: { readonly digest: string; readonly artifactType: string };
}

const absent = `sha256:${createHash("sha256").update("nobody has this").digest("hex")}`;

/** @param open called for each test; what it opens lasts until the test is over */
export function describePullConformance(title: string, open: () => Promise<Subject>): void {
  const about = async (path: (subject: Subject) => string, question?: Question): Promise<[Reply, Subject]> => {
    const subject = await open();
    return [await ask(subject.url, path(subject), question), subject];
  };
  const head = { method: "HEAD" } as const;

  describe(`${title}: pull category of distribution-spec 1.1`, () => {
    test.each(["/v2/", "/v2"])("GET %s is answered with 200", async (path) => {
      const [reply] = await about(() => path);
      expect(reply.status).toBe(200);
      expect(reply.headers["docker-distribution-api-version"]).toBe("registry/2.0");
    });

    describe("blobs", () => {
      test("HEAD of one that is there tells its length and digest, and has no body", async () => {
        const [reply, { blob }] = await about(({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`, head);
        expect(reply.status).toBe(200);
        expect(reply.headers["content-length"]).toBe(`${blob.bytes.length}`);
        expect(reply.headers["docker-content-digest"]).toBe(blob.digest);
        expect(reply.body).toHaveLength(0);
      });

      test("GET of one that is there gives its bytes", async () => {
        const [reply, { blob }] = await about(({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`);
        expect(reply.status).toBe(200);
        expect(reply.headers["content-type"]).toBe("application/octet-stream");
        expect(reply.body).toEqual(blob.bytes);
      });

      test.each(["GET", "HEAD"])("%s of one that is not there: 404", async (method) => {
        const [reply] = await about(({ name }) => `/v2/${name}/blobs/${absent}`, { method });
        expect(reply.status).toBe(404);
        if (method === "GET") expect(codeOf(reply)).toBe("BLOB_UNKNOWN");
        else expect(reply.body).toHaveLength(0);
      });

      test.each(["sha256:totallywrong", "sha256:ABC", "latest", `md5:${"0".repeat(32)}`, "sha256:..%2f..%2fetc"])(
        "a digest that is none, %s: 400 or 404",
        async (digest) => {
          const [reply] = await about(({ name }) => `/v2/${name}/blobs/${digest}`);
          expect([400, 404]).toContain(reply.status);
          if (reply.status === 400) expect(codeOf(reply)).toBe("DIGEST_INVALID");
        },
      );

      test.each([
        ["bytes=2-5", 2, 5],
        ["bytes=0-0", 0, 0],
        ["bytes=3-", 3, -1],
        ["bytes=-4", -4, -1],
        ["bytes=0-99999999", 0, -1],
      ])("a part, %s: 206", async (range, first, last) => {
        const [reply, { blob }] = await about(({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`, {
          headers: { range },
        });
        const size = blob.bytes.length;
        const [from, to] = [first < 0 ? size + first : first, last < 0 ? size + last : last];
        expect(reply.status).toBe(206);
        expect(reply.headers["content-range"]).toBe(`bytes ${from}-${to}/${size}`);
        expect(reply.headers["content-length"]).toBe(`${to - from + 1}`);
        expect(reply.body.equals(blob.bytes.subarray(from, to + 1))).toBe(true);
      });

      test("a part beyond its end: 416, and how long it is", async () => {
        const [reply, { blob }] = await about(({ name, blob }) => `/v2/${name}/blobs/${blob.digest}`, {
          headers: { range: "bytes=99999999-" },
        });
        expect(reply.status).toBe(416);
        expect(reply.headers["content-range"]).toBe(`bytes */${blob.bytes.length}`);
      });

      test("several parts at once, and what is no range: the whole", async () => {
        const subject = await open();
        for (const range of ["bytes=0-1,3-4", "bytes=5-2", "lines=1-2", "bytes=-"]) {
          const path = `/v2/${subject.name}/blobs/${subject.blob.digest}`;
          const reply = await ask(subject.url, path, { headers: { range } });
          expect([range, reply.status, reply.body.equals(subject.blob.bytes)]).toEqual([range, 200, true]);
        }
      });

      test("If-Range: the part of the same content, the whole of any other", async () => {
        const subject = await open();
        const path = `/v2/${subject.name}/blobs/${subject.blob.digest}`;
        const { headers } = await ask(subject.url, path, head);
        const same = { range: "bytes=1-2", "if-range": headers.etag ?? "" };
        expect(await ask(subject.url, path, { headers: same })).toMatchObject({ status: 206 });
        const other = { range: "bytes=1-2", "if-range": '"something else"' };
        const { status, body } = await ask(subject.url, path, { headers: other });
        expect([status, body.equals(subject.blob.bytes)]).toEqual([200, true]);
      });
    });

    describe("manifests", () => {
      const byTag = ({ name, tags }: Subject) => `/v2/${name}/manifests/${tags[0]}`;
      const byDigest = ({ name, manifest }: Subject) => `/v2/${name}/manifests/${manifest.digest}`;

      test.each([
        ["tag", byTag],
        ["digest", byDigest],
      ])("HEAD by %s tells type, length and digest, and has no body", async (_, path) => {
        const [reply, { manifest }] = await about(path, head);
        expect(reply.status).toBe(200);
        expect(reply.headers["content-type"]).toBe(manifest.mediaType);
        expect(reply.headers["content-length"]).toBe(`${manifest.bytes.length}`);
        expect(reply.headers["docker-content-digest"]).toBe(manifest.digest);
        expect(reply.body).toHaveLength(0);
      });

      test.each([
        ["tag", byTag],
        ["digest", byDigest],
      ])("GET by %s gives its exact bytes", async (_, path) => {
        const [reply, { manifest }] = await about(path);
        expect(reply.status).toBe(200);
        expect(reply.headers["content-type"]).toBe(manifest.mediaType);
        expect(reply.headers["docker-content-digest"]).toBe(manifest.digest);
        expect(reply.body).toEqual(manifest.bytes);
      });

      test("what the client has already is not sent again: 304", async () => {
        const subject = await open();
        const { headers } = await ask(subject.url, byTag(subject), head);
        const again = { headers: { "if-none-match": headers.etag ?? "" } };
        const reply = await ask(subject.url, byTag(subject), again);
        expect(reply.status).toBe(304);
        expect(reply.body).toHaveLength(0);
        const other = { headers: { "if-none-match": '"something else"' } };
        expect((await ask(subject.url, byTag(subject), other)).status).toBe(200);
      });

      test.each(["GET", "HEAD"])("%s of a tag or a digest that is not there: 404", async (method) => {
        const subject = await open();
        for (const version of [".INVALID_MANIFEST_NAME", "no-such-tag", absent]) {
          const reply = await ask(subject.url, `/v2/${subject.name}/manifests/${version}`, { method });
          expect([version, reply.status]).toEqual([version, 404]);
          if (method === "GET") expect(codeOf(reply)).toBe("MANIFEST_UNKNOWN");
          else expect(reply.body).toHaveLength(0);
        }
      });

      test("a digest that is none: 400", async () => {
        const [reply] = await about(({ name }) => `/v2/${name}/manifests/sha256:short`);
        expect(reply.status).toBe(400);
        expect(codeOf(reply)).toBe("DIGEST_INVALID");
      });
    });

    describe("names", () => {
      test("a repository that nobody has: 404", async () => {
        for (const what of ["manifests/latest", `blobs/${absent}`, "tags/list"]) {
          const [reply] = await about(() => `/v2/example.invalid/nobody/${what}`);
          expect([what, reply.status]).toEqual([what, 404]);
          expect(codeOf(reply)).toBe("NAME_UNKNOWN");
        }
      });

      test.each(["UPPER/case", "a//b", "../../etc", "a/..", "-a", "a_", "a%00b", "a%0ab", "a".repeat(300), "a:b"])(
        "a name that is none, %s: 400 or 404",
        async (name) => {
          const [reply] = await about(() => `/v2/${name}/manifests/latest`);
          expect([400, 404]).toContain(reply.status);
          if (reply.status === 400) expect(codeOf(reply)).toBe("NAME_INVALID");
        },
      );
    });

    describe("tags", () => {
      const list =
        (query = "") =>
        (subject: Subject) =>
          `/v2/${subject.name}/tags/list${query}`;
      const tagsIn = ({ body }: Reply): unknown => JSON.parse(body.toString("utf8"));
      const sorted = (tags: readonly string[]) =>
        [...tags].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));

      test("all of them, in order", async () => {
        const [reply, { name, tags }] = await about(list());
        expect(reply.status).toBe(200);
        expect(tagsIn(reply)).toEqual({ name, tags: sorted(tags) });
      });

      test("page by page, each with a link to the next", async () => {
        const subject = await open();
        const found: string[] = [];
        for (let path: string | undefined = list("?n=1")(subject); path !== undefined; ) {
          const reply: Reply = await ask(subject.url, path);
          const { tags }: { tags: string[] } = JSON.parse(reply.body.toString("utf8"));
          expect(tags).toHaveLength(1);
          found.push(...tags);
          path = /^<([^>]+)>; rel="next"$/.exec(`${reply.headers.link ?? ""}`)?.[1];
        }
        expect(found).toEqual(sorted(subject.tags));
      });

      test("n=0: none, and no link", async () => {
        const [reply, { name }] = await about(list("?n=0"));
        expect(tagsIn(reply)).toEqual({ name, tags: [] });
        expect(reply.headers.link).toBeUndefined();
      });

      test("those after another one, be that there or not; n without bound is bounded", async () => {
        const subject = await open();
        const [first = "", ...rest] = sorted(subject.tags);
        const reply = await ask(subject.url, list(`?last=${first}&n=999999999999`)(subject));
        expect(tagsIn(reply)).toEqual({ name: subject.name, tags: rest });
        expect(tagsIn(await ask(subject.url, list("?last=~")(subject)))).toEqual({ name: subject.name, tags: [] });
      });
    });

    describe("referrers", () => {
      test("of a manifest that has none, and of one that is not there: an empty index", async () => {
        const [reply] = await about(({ name }) => `/v2/${name}/referrers/${absent}`);
        expect(reply.status).toBe(200);
        expect(reply.headers["content-type"]).toBe(ociIndex);
        expect(JSON.parse(reply.body.toString("utf8"))).toEqual({
          schemaVersion: 2,
          mediaType: ociIndex,
          manifests: [],
        });
      });

      test("of a digest that is none: 400", async () => {
        const [reply] = await about(({ name }) => `/v2/${name}/referrers/sha256:short`);
        expect(reply.status).toBe(400);
        expect(codeOf(reply)).toBe("DIGEST_INVALID");
      });

      test("with their types, and of one type only where that is asked for", async (context) => {
        const subject = await open();
        const { referrer } = subject;
        if (referrer === undefined) return context.skip("this store keeps no artifacts");
        const path = `/v2/${subject.name}/referrers/${subject.manifest.digest}`;
        const all = await ask(subject.url, path);
        expect(all.headers["oci-filters-applied"]).toBeUndefined();
        expect(JSON.parse(all.body.toString("utf8")).manifests).toMatchObject([referrer]);
        const type = encodeURIComponent(referrer.artifactType);
        const own = await ask(subject.url, `${path}?artifactType=${type}`);
        expect(own.headers["oci-filters-applied"]).toBe("artifactType");
        expect(JSON.parse(own.body.toString("utf8")).manifests).toMatchObject([referrer]);
        const other = await ask(subject.url, `${path}?artifactType=application/none`);
        expect(JSON.parse(other.body.toString("utf8")).manifests).toEqual([]);
      });
    });

    describe("writing", () => {
      test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s: 405, whatever it is about", async (method) => {
        const subject = await open();
        const { name, manifest, blob } = subject;
        const paths = [
          `/v2/${name}/blobs/uploads/`,
          `/v2/${name}/manifests/latest`,
          `/v2/${name}/manifests/${manifest.digest}`,
          `/v2/${name}/blobs/${blob.digest}`,
          `/v2/`,
        ];
        for (const path of paths) {
          const reply = await ask(subject.url, path, { method });
          expect([path, reply.status]).toEqual([path, 405]);
          expect(codeOf(reply)).toBe("UNSUPPORTED");
          expect(reply.headers.allow).toBe("GET, HEAD");
        }
      });
    });

    test.each(["/", "/v1/", "/v2/app", "/v2//manifests/1", "/v2/app/uploads/1", "/v2/app/tags/other", "/token"])(
      "an address that no registry has, %s: 404",
      async (path) => {
        const [reply] = await about(() => path);
        expect(reply.status).toBe(404);
      },
    );
  });
}
