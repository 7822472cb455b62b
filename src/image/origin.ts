/**
 * Where a registry of a reference is asked: docker.io's registry has another host name, every other one its own.
 * @param plainHttp whether to speak HTTP rather than HTTPS
 */
export function registryOrigin(registry: string, plainHttp: boolean): string {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return `${plainHttp ? "http" : "https"}://${host}`;
}

/** Whether an address is that of the registry itself, and not a mirror's: the scheme does not matter, a path does. */
export function isOrigin(address: string, registry: string): boolean {
  const own = [registryOrigin(registry, false), registryOrigin(registry, true)];
  return own.includes(address) || own.some((origin) => isSamePlace(origin, address));
}

function isSamePlace(origin: string, address: string): boolean {
  if (!URL.canParse(origin) || !URL.canParse(address)) return false;
  const { host, pathname } = new URL(address);
  return host === new URL(origin).host && pathname === "/";
}
