import { expect, it } from "vitest";
import { foundElsewhere } from "./elsewhere.ts";
import { newerTags } from "./newer.ts";
import type { VersionTag } from "./reading.ts";
import { readTag } from "./tag.ts";

function version(tag: string): VersionTag {
  const reading = readTag(tag);
  if (reading.kind !== "version") throw new Error(`${tag} has no version`);
  return reading;
}

function elsewhere(current: string, tags: readonly string[]): string | undefined {
  const { latest } = newerTags(current, tags);
  const found = foundElsewhere(version(current), version(latest ?? current), tags.map(readTag));
  return found && `${found.tag} ${found.because}`;
}

it.each<[current: string, tags: string, wanted: string | undefined]>([
  [
    "3.12.12-alpine3.21",
    "3.12.12-alpine3.21 3.12.14-alpine3.23 3.14.7-alpine3.23",
    "3.14.7-alpine3.23 on another base",
  ],
  ["15.13-bullseye", "15.13-bullseye 15.19-bookworm 15.20-alpine", "15.19-bookworm on another base"],
  [
    "8.2.29-apache-bullseye",
    "8.2.29-apache-bullseye 8.3.1-apache-trixie 8.4.0-fpm-trixie",
    "8.3.1-apache-trixie on another base",
  ],
  ["22.1-jammy", "22.1-jammy 22.2-noble 22.3-bookworm", "22.2-noble on another base"],
  ["7.2.3-debian-11-r1", "7.2.3-debian-11-r1 7.2.5-debian-12-r0", "7.2.5-debian-12-r0 on another base"],
  ["v2.1.2-hf1", "v2.1.2-hf1 v2.1.16 v2.2.0-rc1", "v2.1.16 without the suffix"],
  ["10.5-enterprise", "10.5-enterprise 2026.1-enterprise 2026.2-community", "2026.1-enterprise counted by years"],
  // What is offered is as new, or newer.
  ["1.0-alpine3.19", "1.0-alpine3.19 1.1-alpine3.19 1.1-alpine3.20", undefined],
  ["1.0-alpine", "1.0-alpine 1.1-alpine 1.2", undefined],
  // Another precision, prefix, channel.
  ["1.0-alpine3.19", "1.0-alpine3.19 1.0.1-alpine3.20 v1.1-alpine3.20 1.1-rc1-alpine3.20", undefined],
  ["1.0", "1.0 1.1-alpine", undefined],
])("%s of %s", (current, tags, wanted) => {
  expect(elsewhere(current, tags.split(" "))).toBe(wanted);
});
