/** Reading tags as versions: families, their order, and which tags are newer. Pure; `pulley/versions` of the package. */
export { type Elsewhere, foundElsewhere } from "./elsewhere.ts";
export {
  type Candidate,
  candidates,
  compareTags,
  compareVersions,
  type Distance,
  isSameFamily,
  isWithin,
  type NewerOptions,
  type NewerTags,
  newerTags,
  newestOf,
  placeAmong,
  type Step,
  stepBetween,
} from "./newer.ts";
export { type PassedOver, passedOver } from "./passed-over.ts";
export type { PlainTag, Scheme, TagReading, VersionTag } from "./reading.ts";
export { readTag } from "./tag.ts";
