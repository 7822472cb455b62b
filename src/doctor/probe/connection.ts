/** Opens connections step by step, so that each step can be reported. */
import http from "node:http";
import https from "node:https";
import { connect, type Socket } from "node:net";
import { PulleyError } from "../../support/errors.ts";

/** Where a connection goes. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Opens a connection, which the caller closes. @throws the system's error, or the signal's reason */
export function openConnection({ host, port }: HostAndPort, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host, port });
    const stop = () => socket.destroy(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", stop);
      socket.removeAllListeners("error");
      // A later error shows when the connection is used.
      socket.on("error", () => undefined);
      resolve(socket);
    });
    socket.once("error", (error) => {
      signal.removeEventListener("abort", stop);
      reject(error);
    });
  });
}

/**
 * Opens a connection through a proxy (RFC 9110, section 9.3.6).
 * @throws PulleyError `REGISTRY_UNREACHABLE` where the proxy refuses; otherwise what the system says
 */
export function openTunnel(proxy: URL, { host, port }: HostAndPort, signal: AbortSignal): Promise<Socket> {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const login =
    proxy.username === "" ? undefined : `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const headers = {
    host: target,
    ...(login !== undefined && { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` }),
  };
  return new Promise((resolve, reject) => {
    const speak = proxy.protocol === "https:" ? https : http;
    const request = speak.request(proxy, { method: "CONNECT", path: target, headers, agent: false, signal });
    request.once("connect", (answer, socket: Socket) => {
      socket.on("error", () => undefined);
      if (answer.statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refused(proxy, target, answer.statusCode));
    });
    request.once("response", (answer) => {
      answer.destroy();
      reject(refused(proxy, target, answer.statusCode));
    });
    request.once("error", reject);
    request.end();
  });
}

function refused(proxy: URL, target: string, status: number | undefined): PulleyError {
  const advice =
    status === 407
      ? "The proxy requires a login: write it into HTTPS_PROXY, http://user:password@host:port."
      : "Ask who runs the proxy to let the registry through, or list the registry in NO_PROXY.";
  return new PulleyError("REGISTRY_UNREACHABLE", `the proxy ${proxy.host} answers ${status} to CONNECT ${target}`, {
    advice,
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
