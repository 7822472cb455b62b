/** Speaking to registries: one verified way in for every byte. */
export { bareHost } from "./addresses.ts";
export { type Authorization, createAuthorizer } from "./auth/authorization.ts";
export { parseChallenges } from "./auth/challenge.ts";
export { createTokenService } from "./auth/token.ts";
export { readErrorBody } from "./body.ts";
export { createTrust } from "./certificates.ts";
export { createRegistryClient } from "./client.ts";
export { type Endpoint, endpointAt } from "./endpoint.ts";
export { isHtml, type ResponseHead, statusFailure } from "./failure.ts";
export { defaultLeastRate, transfersAtOnce } from "./limits.ts";
export { createSchemes } from "./ping.ts";
export { proxyFor } from "./proxy.ts";
export { always, openSession } from "./session.ts";
export { openTagPages, type TagPageLimits } from "./tag-page-files.ts";
export type { StoredTagPage, TagPages } from "./tag-pages.ts";
export { createTransport, type HttpResponse, type Transport } from "./transport.ts";
export type {
  BlobProgress,
  Fetched,
  Location,
  OnWait,
  RegistryCall,
  RegistryClient,
  RegistryOptions,
  RegistryQuota,
  TagsCall,
} from "./types.ts";
