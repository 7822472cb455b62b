/** What every {@link ImageStore} does: declared as tests, for each implementation to run. */
import { afterEach, describe } from "vitest";
import { describeClaims } from "./contract/claimed-sizes.ts";
import { describeLeases, describeReading, describeReceiving, describeUsage } from "./contract/content.ts";
import type { OpenStore } from "./contract/expectations.ts";
import { describeFinding, describePublishing, describeRemoving, describeTagging } from "./contract/names.ts";
import { describeWriting } from "./contract/writing.ts";
import type { ImageStore } from "./image-store.ts";

/** @param open a new, empty store each time; it is closed after the test */
export function imageStoreContract(name: string, open: OpenStore): void {
  describe(`${name} as an image store`, () => {
    const opened: ImageStore[] = [];
    const openStore = async () => {
      const store = await open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    describe("publishing", () => describePublishing(openStore));
    describe("finding", () => describeFinding(openStore));
    describe("removing", () => describeRemoving(openStore));
    describe("tagging", () => describeTagging(openStore));
    describe("receiving content", () => describeReceiving(openStore));
    describe("reading content", () => describeReading(openStore));
    describe("claims of sizes", () => describeClaims(openStore));
    describe("content", () => describeWriting(openStore));
    describe("usage", () => describeUsage(openStore));
    describe("leases", () => describeLeases(openStore));
  });
}
