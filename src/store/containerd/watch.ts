/** Subscribes to containerd's events about names, so that it need not be asked each time. */
import { Events } from "./api/containerd/services/events/events_pb.js";
import type { ContainerdContext } from "./context.ts";

/**
 * Milliseconds after which a subscription is taken to have reached containerd, which does not acknowledge it: what
 * changes before that may be missed.
 */
const settling = 1000;

export class NameWatch {
  readonly #context: ContainerdContext;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  /** When the subscription began, in milliseconds since the epoch; `undefined` while there is none. */
  #since: number | undefined;

  /** @param onChange called for each change, and when changes may have been missed */
  constructor(context: ContainerdContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  /** Whether the subscription is active. Where it is not, it will be soon. */
  hears(): boolean {
    const now = this.#context.clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      void this.#listen();
    }
    return now - this.#since > settling;
  }

  close(): void {
    this.#stop.abort();
  }

  /** Reads events until the stream ends; then the next call begins another one. */
  async #listen(): Promise<void> {
    const { daemon } = this.#context;
    const filters = [`namespace==${daemon.namespace},topic~="^/images/"`];
    const events = daemon.channel.serverStream(Events.method.subscribe, { filters }, { signal: this.#stop.signal });
    try {
      for await (const _ of events) this.#onChange();
    } catch {
      // Only the end of the subscription matters; the next call to containerd shows what is wrong.
    }
    if (this.#stop.signal.aborted) return;
    this.#since = undefined;
    this.#onChange();
  }
}
