/** What tests use to work against real programs. */
export { type Certificates, type KeyPair, makeCertificates } from "./certificates.ts";
export { describeWith } from "./describe-with.ts";
export { type DockerRegistry, type DockerRegistryOptions, startDockerRegistry } from "./docker-registry.ts";
export { requiredTool, run, tool } from "./programs.ts";
export { type SkopeoOptions, skopeoCopy } from "./skopeo.ts";
