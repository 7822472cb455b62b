/**
 * Where a registry of a reference is asked: docker.io's registry has another host name, every other one its own.
 * @param plainHttp whether to speak HTTP rather than HTTPS
 */
export function registryOrigin(registry: string, plainHttp: boolean): string {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return `${plainHttp ? "http" : "https"}://${host}`;
}

const loopback = /^(?:(?:.+\.)?localhost|127(?:\.[0-9]{1,3}){3}|\[(?:0{0,4}:){2,7}0{0,3}1\])(?::[0-9]+)?$/i;

/** Whether a registry is on this machine: `localhost` and the names under it, 127.0.0.0/8 and [::1], with any port. */
export function isLoopback(registry: string): boolean {
  return loopback.test(registry);
}
