/** Whether a host is this machine, by its name alone. */

const loopback = /^(?:(?:.+\.)?localhost|127(?:\.[0-9]{1,3}){3}|\[(?:0{0,4}:){2,7}0{0,3}1\])(?::[0-9]+)?$/i;

/** Whether a registry, or another host, is on this machine: `localhost` and the names under it, 127.0.0.0/8 and [::1], with any port. */
export function isLoopback(host: string): boolean {
  return loopback.test(host);
}
