/** Carrying a decision out: the image manager, its puller, and what they remember. */
export { withLogin } from "./attempts.ts";
export { createStartAuthorizer, type RefusedStart, type Start, type StartAuthorizer } from "./authorize-start.ts";
export { createBackOff } from "./back-off.ts";
export { usedCachedEvent, withoutAnswer } from "./cached-copy.ts";
export { configuredHosts } from "./configured-hosts.ts";
export { type ContentProofs, type ContentSharing, contentSharings } from "./content-proofs.ts";
export { isGone, localSource, remoteSource } from "./content-sources.ts";
export { type DecisionLog, openDecisionLog } from "./decision-log/index.ts";
export { readDecisionFile, readDecisions } from "./decision-log/reader.ts";
export type { OutcomeKind } from "./decision-log/types.ts";
export { type Attempted, aggregate, isOfSource, isRefusal, isUnreachable, isUnreachableCode } from "./failure.ts";
export { type ContentSource, type ImageContent, readContent } from "./image-content.ts";
export type { Ensured, ImageManager } from "./image-manager.ts";
export { type Failure, failureOf, oddImageEvent, type RecordEvent, trialEvent } from "./image-pull.ts";
export type { ImageService } from "./image-service.ts";
export type { LayerFetcher, Receiving, Source } from "./layers.ts";
export { type FactSources, type Found, findLocal, type HostsFor } from "./local-facts.ts";
export { noImages, openPulls, type Pulls, type StorePulls } from "./pulls.ts";
export { countPullRecords, withAccessHeard } from "./records/figures.ts";
export { credentialHash } from "./records/format.ts";
export { type AccessResult, openPullRecords, type PullRecords } from "./records/index.ts";
export { type VerificationPolicy, validateVerificationSettings, verificationPolicies } from "./records/verification.ts";
export {
  type ContentOfName,
  contentsOf,
  createRepositoryContents,
  type RepositoryContents,
} from "./repository-contents.ts";
export { type PullSettings, resolvePullSettings, validatePullSettings } from "./settings.ts";
export { findSources, ownSource, type PullSource } from "./sources.ts";
export { type SyntheticPodOptions, syntheticPod } from "./synthetic-pod.ts";
export type { EnsuredImage, PullProgress } from "./types.ts";
