/** A client of registries that sends just what a test wants, and shows just what came. */
import http, { type IncomingHttpHeaders } from "node:http";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** @param path sent as it is: nothing in it is normalised */
export function ask(
  base: string,
  path: string,
  { method = "GET", headers = {}, signal }: Question = {},
): Promise<Reply> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const settings = { host: hostname.replace(/^\[|\]$/g, ""), port, path, method, headers, agent: false } as const;
    const request = http.request({ ...settings, ...(signal && { signal }) }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, headers: received, body: Buffer.concat(pieces) });
      });
    });
    request.on("error", reject);
    request.end();
  });
}

/** The code of an answer that is a failure. */
export function codeOf({ body }: Reply): string {
  const document: { errors: { code: string; message: string }[] } = JSON.parse(body.toString("utf8"));
  return document.errors.map(({ code }) => code).join();
}

export function messageOf({ body }: Reply): string {
  const document: { errors: { code: string; message: string }[] } = JSON.parse(body.toString("utf8"));
  return document.errors.map(({ message }) => message).join();
}

export function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}
