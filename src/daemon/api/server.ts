/** The daemon's own interface: HTTP and JSON on a unix socket. */
import { errorText } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import { createReadOnlyServer } from "../../support/read-only-server.ts";
import { listenOnSocket, type Takeover } from "../../support/unix-socket.ts";
import { type ApiSources, createRoutes } from "./routes.ts";

export type { ApiSources } from "./routes.ts";

export interface ApiServer {
  /** Ends what is still being told, and takes the socket away. */
  close(): Promise<void>;
}

export interface ApiServerOptions extends ApiSources {
  /** Path of the socket; its folder is made if it is not there, for its owner alone. */
  readonly socket: string;
  /** 0o660 lets the group of the socket's folder in, if that folder lets it. */
  readonly mode?: 0o600 | 0o660;
  readonly takeover?: Takeover | undefined;
  readonly log: Log;
}

/** @throws PulleyError `OUTPUT_UNWRITABLE` */
export async function serveApi(options: ApiServerOptions): Promise<ApiServer> {
  const { socket, mode = 0o600, takeover, log } = options;
  const { server, close } = createReadOnlyServer({
    answer: createRoutes(options),
    onFailure: (error, path) => log.error("a request to the daemon failed", { path, error: errorText(error) }),
  });
  const listening = await listenOnSocket(server, socket, mode, takeover);
  return {
    close: async () => {
      await close();
      await listening.remove();
    },
  };
}
