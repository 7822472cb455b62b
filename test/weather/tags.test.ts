/** Lists of tags that lead elsewhere, or have no end. */
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { parseReference } from "../../src/image/index.ts";
import { type ErrorCode, isPulleyError } from "../../src/support/errors.ts";
import { all, body, endless, type Fault, header, inTurn, json, status } from "./faults.ts";
import { expectFailure, expectNoLogin, login, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

function tagsOf(host: string): Promise<unknown> {
  const { repository } = parseReference(`${host}/team/app`);
  return victim.registry.tags(repository, { login }).catch((error: unknown) => error);
}

function linking(link: (path: string) => string): Fault {
  return (good, asked) => header("link", link(asked.path))(good, asked);
}

test("a next page at another host is refused (oras GHSA-h7vf-4x9w-h99v)", async () => {
  const elsewhere = await sky.storm({ image });
  const storm = await sky.storm({
    image,
    faults: { tags: linking((path) => `<${elsewhere.url}${path}>; rel="next"`) },
  });
  const error = await tagsOf(storm.host);
  if (!isPulleyError(error)) throw new Error("the list succeeded");
  expectFailure(error, { code: "REDIRECT_REFUSED", side: storm.host });
  expect(elsewhere.asked).toEqual([]);
});

const rows: readonly (readonly [string, Fault, ErrorCode])[] = [
  ["a page whose next page is itself", linking((path) => `<${path}>; rel="next"`), "REGISTRY_PROTOCOL"],
  [
    "pages without an end (oras GHSA-298f-872v-2rcx)",
    linking((path) => `</v2/team/app/tags/list?last=${Number(/last=(\d+)/.exec(path)?.[1] ?? 0) + 1}>; rel="next"`),
    "REGISTRY_PROTOCOL",
  ],
  ["a page without an end", all(body(" "), endless), "TOO_LARGE"],
  ["a web page", body("<html></html>"), "REGISTRY_PROTOCOL"],
  ["a list that is none", json(200, { tags: "latest" }), "REGISTRY_PROTOCOL"],
  ["nothing", status(204), "REGISTRY_PROTOCOL"],
  ["no such repository", json(404, { errors: [{ code: "NAME_UNKNOWN" }] }), "REGISTRY_NOT_FOUND"],
  [
    "a login in the next page's address",
    linking(() => '<http://ann:secret@127.0.0.1/v2/>; rel="next"'),
    "REDIRECT_REFUSED",
  ],
];

test.each(rows)("%s ends", async (_what, fault, code) => {
  const storm = await sky.storm({ image, faults: { tags: fault } });
  const error = await tagsOf(storm.host);
  if (!isPulleyError(error)) throw new Error("the list succeeded");
  expectFailure(error, { code, side: storm.host });
  expect(storm.asked.length).toBeLessThanOrEqual(1001);
  for (const { sent } of storm.asked) expect(sent).toBeLessThan(24 * 1024 * 1024);
  expectNoLogin(storm);
});

test("names that no tag can have are left out", async () => {
  const odd = ["1", "../../etc", "a b", "", 5, null, "x\u001b[31m", "2"];
  const storm = await sky.storm({ image, faults: { tags: json(200, { name: "team/app", tags: odd }) } });
  expect(await tagsOf(storm.host)).toEqual(["1", "2"]);
});

test("a second page at the same host is read", async () => {
  const first = all(json(200, { tags: ["1"] }), header("link", '</v2/team/app/tags/list?last=1>; rel="next"'));
  const storm = await sky.storm({ image, faults: { tags: inTurn(first, json(200, { tags: ["2"] })) } });
  expect(await tagsOf(storm.host)).toEqual(["1", "2"]);
});
