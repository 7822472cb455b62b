/** Speaking to registries: one verified way in for every byte. */
export { bareHost } from "./addresses.ts";
export { type Authorization, createAuthorizer } from "./authorization.ts";
export { readErrorBody } from "./body.ts";
export { createTrust } from "./certificates.ts";
export { parseChallenges } from "./challenge.ts";
export { createRegistryClient } from "./client.ts";
export type { Endpoint } from "./endpoint.ts";
export { type Answered, isHtml, statusFailure } from "./failure.ts";
export { endpointAt } from "./host-endpoint.ts";
export { defaultLeastRate, transfersAtOnce } from "./limits.ts";
export { proxyFor } from "./proxy.ts";
export { createSchemes } from "./schemes.ts";
export { always, openSession } from "./session.ts";
export { createTokenService } from "./token.ts";
export { type Answer, createTransport, type Transport } from "./transport.ts";
export type { BlobProgress, Call, Fetched, Location, RegistryClient, RegistryOptions } from "./types.ts";
