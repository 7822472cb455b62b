/** Hearing of names that change, so that containerd need not be asked each time what it has. */
import { Events } from "./api/containerd/services/events/events_pb.js";
import type { ContainerdContext } from "./context.ts";

/**
 * Milliseconds after which a subscription is taken to have reached containerd, which does not acknowledge it: what
 * changes before that may go unheard.
 */
const settling = 1000;

export class NameWatch {
  readonly #context: ContainerdContext;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  /** When the subscription began, in milliseconds since the epoch; `undefined` while there is none. */
  #since: number | undefined;

  /** @param onChange called for each change, and when changes may have gone unheard */
  constructor(context: ContainerdContext, onChange: () => void) {
    this.#context = context;
    this.#onChange = onChange;
  }

  /** Whether every change is heard of now. Where it is not, it will be soon. */
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

  /** Until the stream ends, be it that containerd does: then the next one who asks begins another. */
  async #listen(): Promise<void> {
    const { daemon } = this.#context;
    const filters = [`namespace==${daemon.namespace},topic~="^/images/"`];
    const events = daemon.channel.serverStream(Events.method.subscribe, { filters }, { signal: this.#stop.signal });
    try {
      for await (const _ of events) this.#onChange();
    } catch {
      // That nothing is heard any more is all that matters; what is wrong will show in the next call.
    }
    if (this.#stop.signal.aborted) return;
    this.#since = undefined;
    this.#onChange();
  }
}
