/**
 * What critest of cri-tools 1.37 asks of an image service ("Image Manager", "Image Consistency", and the rule of "Image ID
 * consistency" that concerns images), retold for any store: the names of the tests say which of its specs they are.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { statusOf } from "../../src/support/grpc/client.ts";
import type { Client } from "./server.ts";

/** @param open an image service with an empty store, which ends after the test */
export function criImageSpecs(title: string, open: () => Promise<{ readonly client: Client }>): void {
  describe(title, () => {
    let registry: Registry;
    let elsewhere: Registry;
    /** Without what was there before, such as the sandboxes' image. */
    const list = async (client: Client) => (await client.list()).filter(({ repoTags }) => repoTags.every(isOurs));
    const isOurs = (name: string) => [registry, elsewhere].some(({ host }) => name.startsWith(`${host}/`));
    /** `127.0.0.1:5000/cri-tools/test-image-tag:test` */
    const at = (name: string, where = registry) => `${where.host}/cri-tools/${name}`;

    beforeAll(async () => {
      registry = await startRegistry();
      elsewhere = await startRegistry();
      const image = (marker: string, config = {}) => buildImage({ layers: [{ files: { marker } }], config });
      const [latest, tagged, digest, tags] = await Promise.all(
        ["latest", "tag", "digest", "tags"].map((name) => image(name)),
      );
      const users = { uid: "1002", username: "www-data", "uid-group": "1003:1004", "username-group": "www-data:1004" };
      const add = (name: string, built: typeof latest) => built && registry.addImage(`cri-tools/${name}`, built);
      add("test-image-latest:latest", latest);
      for (const tag of ["test", "all"]) add(`test-image-tag:${tag}`, tagged);
      add("test-image-digest", digest);
      for (const tag of ["1", "2", "3"]) add(`test-image-tags:${tag}`, tags);
      for (const number of ["1", "2", "3"]) add(`test-image-${number}:latest`, await image(number));
      for (const [name, User] of Object.entries(users))
        add(`test-image-user-${name}:latest`, await image(name, { User }));
      if (tags !== undefined) elsewhere.addImage("cri-tools/test-image-tags:1", tags);
      digestReference = `test-image-digest@${digest?.target.digest}`;
    });
    afterAll(() => Promise.all([registry.close(), elsewhere.close()]));
    let digestReference: string;

    test.each([
      [
        "public image with tag should be pulled and removed",
        () => at("test-image-tag:test"),
        { tags: ["test-image-tag:test"] },
      ],
      [
        "public image without tag should be pulled and removed",
        () => at("test-image-latest"),
        { tags: ["test-image-latest:latest"] },
      ],
      [
        "public image with digest should be pulled and removed",
        () => at(digestReference),
        { tags: [], digests: () => [at(digestReference)] },
      ],
    ])("%s", async (_title, name, { tags, digests }: { tags: string[]; digests?: () => string[] }) => {
      const { client } = await open();
      const id = await client.pull(name());
      const image = await client.status(name());
      expect(image).toMatchObject({ id, repoTags: tags.map((tag) => at(tag)), pinned: false });
      if (digests !== undefined) expect(image?.repoDigests).toEqual(digests());
      expect(image?.size).toBeGreaterThan(0n);
      await client.remove(id);
      expect(await client.status(name())).toBeUndefined();
    });

    test("public image should timeout if requested", async () => {
      const { client } = await open();
      const pull = client.pull(at("test-image-tag:test"), { options: { timeout: 1 } });
      const failure = await pull.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(statusOf(failure)).toBe("DEADLINE_EXCEEDED");
    });

    test("image status should support all kinds of references", async () => {
      const { client } = await open();
      await client.pull(at("test-image-tag:all"));
      const image = await client.status(at("test-image-tag:all"));
      expect(image?.repoTags).toHaveLength(1);
      expect(image?.repoDigests).toHaveLength(1);
      for (const reference of [image?.id ?? "", ...(image?.repoTags ?? []), ...(image?.repoDigests ?? [])]) {
        expect(await client.status(reference)).toEqual(image);
      }
    });

    test.each([
      ["uid", { uid: { value: 1002n }, username: "" }],
      ["username", { uid: undefined, username: "www-data" }],
      ["uid-group", { uid: { value: 1003n }, username: "" }],
      ["username-group", { uid: undefined, username: "www-data" }],
    ])("image status get image fields should not have Uid|Username empty: %s", async (name, user) => {
      const { client } = await open();
      await client.pull(at(`test-image-user-${name}`));
      const image = await client.status(at(`test-image-user-${name}`));
      expect(image?.uid?.value).toBe(user.uid?.value);
      expect(image?.username).toBe(user.username);
    });

    test("listImage should get exactly 3 image in the result list", async () => {
      const { client } = await open();
      const names = ["1", "2", "3"].map((number) => at(`test-image-${number}:latest`));
      const ids = await Promise.all(names.map((name) => client.pull(name)));
      const listed = await list(client);
      expect(new Map(listed.map(({ id, repoTags }) => [id, repoTags]))).toEqual(
        new Map(ids.map((id, place) => [id, [names[place]]])),
      );
    });

    test("listImage should get exactly 3 repoTags in the result image", async () => {
      const { client } = await open();
      const names = ["1", "2", "3"].map((tag) => at(`test-image-tags:${tag}`));
      const ids = new Set(await Promise.all(names.map((name) => client.pull(name))));
      expect(ids.size).toBe(1);
      expect((await list(client)).map(({ id, repoTags }) => [id, repoTags])).toEqual([[[...ids][0], names]]);
    });

    test("removing image by one tag should remove all tags", async () => {
      const { client } = await open();
      const names = ["1", "2", "3"].map((tag) => at(`test-image-tags:${tag}`));
      const [id = ""] = await Promise.all(names.map((name) => client.pull(name)));
      await client.remove(names[0] ?? "");
      for (const name of [...names, id]) expect(await client.status(name)).toBeUndefined();
      expect(await list(client)).toEqual([]);
    });

    test("removing image from one registry should remove all tags from other registries", async () => {
      const { client } = await open();
      const names = [at("test-image-tags:1"), at("test-image-tags:1", elsewhere)];
      const ids = new Set(await Promise.all(names.map((name) => client.pull(name))));
      expect(ids.size).toBe(1);
      expect((await list(client)).map(({ repoTags }) => repoTags)).toEqual([names.toSorted()]);
      await client.remove(names[0] ?? "");
      for (const name of [...names, ...ids]) expect(await client.status(name)).toBeUndefined();
    });

    test("should list and get image status immediately after pulling, and not after removal", async () => {
      const { client } = await open();
      for (let round = 0; round < 3; round += 1) {
        const id = await client.pull(at("test-image-tag:test"));
        expect((await list(client)).map((image) => image.id)).toEqual([id]);
        expect((await client.status(id))?.id).toBe(id);
        await client.remove(at("test-image-tag:test"));
        expect(await list(client)).toEqual([]);
        expect(await client.status(id)).toBeUndefined();
      }
    });

    test("removing the same image five times at once succeeds five times, and it is gone after each", async () => {
      const { client } = await open();
      const id = await client.pull(at("test-image-tag:test"));
      const removeAndLook = async () => {
        await client.remove(id);
        return client.status(id);
      };
      const seen = await Promise.all(Array.from({ length: 5 }, removeAndLook));
      expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined]);
    });

    test("what is not here is no error", async () => {
      const { client } = await open();
      const absent = at("absent:1");
      expect(await client.status(absent)).toBeUndefined();
      expect(await client.status(`sha256:${"0".repeat(64)}`)).toBeUndefined();
      expect(await client.list(absent)).toEqual([]);
      await client.remove(absent);
      await client.remove(`sha256:${"0".repeat(64)}`);
    });
  });
}
