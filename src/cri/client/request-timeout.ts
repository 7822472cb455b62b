/** Milliseconds that a runtime may take for one call (k8s `runtimeRequestTimeout`: two minutes; sandboxes twice that). */
export const requestTimeout = 120_000;
