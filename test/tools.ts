/** What tests use to work against real programs. */
export { type Certificates, makeCertificates } from "./certificates.ts";
export { describeWith } from "./describe-with.ts";
export { type DockerRegistry, startDockerRegistry } from "./docker-registry.ts";
export { requiredTool, run, tool } from "./programs.ts";
export { skopeoCopy } from "./skopeo.ts";
