/** Networks for pods, of which no two containerds may have the same. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

export interface Subnet {
  /** The third number of `10.213.0.0`. */
  readonly number: number;
  release(): void;
}

/**
 * One that no other process of this machine has taken. A socket whose name is no file is held meanwhile: it belongs to
 * the machine's network, as the subnet does, and is gone with the process, however that ends.
 */
export async function takeSubnet(): Promise<Subnet> {
  const first = randomInt(254);
  for (let step = 0; step < 254; step += 1) {
    const number = 1 + ((first + step) % 254);
    const server = createServer().unref();
    try {
      server.listen(`\0pulley-test-subnet-${number}`);
      await once(server, "listening");
      return { number, release: () => void server.close() };
    } catch {
      // Another has it.
    }
  }
  throw new Error("every subnet for tests is taken");
}
