import { expect, it } from "vitest";
import { parseImageName } from "../../image/index.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { countPullRecords, withAccessHeard } from "./figures.ts";
import { openPullRecords } from "./index.ts";

it("records on disk are counted, and whoever wants to hears who may use an image", async () => {
  const root = temporaryFolder();
  const heard: string[] = [];
  const records = withAccessHeard(openPullRecords(root, {}, manualClock()), (result) => heard.push(result));
  expect(await countPullRecords(root)).toEqual({ intents: 0, records: 0 });
  await records.begin(parseImageName("acme.io/app:1"));
  await records.begin(parseImageName("acme.io/other:1"));
  await records.succeed(parseImageName("acme.io/app:1"), "sha256:1", undefined);
  expect(await countPullRecords(root)).toEqual({ intents: 1, records: 1 });
  expect(await records.access(parseImageName("acme.io/app:1"), "sha256:1", async () => [])).toBe(
    "credentialRecordFound",
  );
  expect(await records.access(parseImageName("acme.io/more:1"), "sha256:1", async () => [])).toBe("mustAuthenticate");
  expect(heard).toEqual(["credentialRecordFound", "mustAuthenticate"]);
});
