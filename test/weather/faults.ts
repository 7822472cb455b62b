/** Questions to a registry and its answers as values, and what can be wrong with the answers. */
import type { IncomingHttpHeaders } from "node:http";
import type { BuiltImage } from "../../examples/world/image-builder.ts";

/** What a question is about. */
export type Subject = "manifest" | "config" | "layer" | "tags" | "token" | "other";

export interface Asked {
  readonly subject: Subject;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** How many questions about the same thing came before it. */
  readonly nth: number;
  /** Bytes that were handed to the system for it: up to a few MB more than the client read. */
  sent: number;
}

export interface Reply {
  readonly status: number;
  /** In the order in which they are sent; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Sends the body again and again, until the client has enough. */
  readonly endless?: boolean;
  /** Sends the body in pieces, with a pause after each, in milliseconds. */
  readonly piece?: { readonly bytes: number; readonly every: number };
  /** Sends these bytes, and nothing else. */
  readonly raw?: Buffer;
  /** What becomes of the connection. Default: it is closed in good order. */
  readonly after?: "reset" | "silence";
}

/** Turns the answer that a sound registry would give into another one. */
export type Fault = (good: Reply, asked: Asked) => Reply;

/** No fault at all. */
export const fine: Fault = (good) => good;

/** One fault upon another, the first one first. */
export function all(...faults: readonly Fault[]): Fault {
  return (good, asked) => faults.reduce((reply, fault) => fault(reply, asked), good);
}

/** One fault for the first question, another for the second, and the last one for all that follow. */
export function inTurn(...faults: readonly Fault[]): Fault {
  return (good, asked) => (faults[Math.min(asked.nth, faults.length - 1)] ?? fine)(good, asked);
}

/** Only for questions that pass the test. */
export function when(test: (asked: Asked) => boolean, fault: Fault): Fault {
  return (good, asked) => (test(asked) ? fault(good, asked) : good);
}

/** Only for questions with one method. */
export function on(method: "GET" | "HEAD" | "POST", fault: Fault): Fault {
  return when((asked) => asked.method === method, fault);
}

export function status(code: number, text = ""): Fault {
  return () => replyOf(code, "text/plain", text);
}

export function json(code: number, value: unknown): Fault {
  return () => replyOf(code, "application/json", JSON.stringify(value));
}

/** Headers in the place of all others of their names; `undefined` leaves one out. */
export function header(name: string, ...values: readonly (string | undefined)[]): Fault {
  return (good) => ({ ...good, headers: withHeader(good.headers, name, values) });
}

/** Another body of its true length. */
export function body(bytes: Uint8Array | string | ((good: Buffer) => Uint8Array | string)): Fault {
  return (good) => {
    const made = Buffer.from(typeof bytes === "function" ? bytes(good.body) : bytes);
    const headers = withHeader(good.headers, "content-length", [String(made.length)]);
    return { ...good, body: made, headers };
  };
}

/** The beginning of the body under the full `content-length`, and then the end, a reset or nothing at all. */
export function cut(bytes: number, after?: Reply["after"]): Fault {
  return (good) => ({ ...good, body: good.body.subarray(0, bytes), ...(after !== undefined && { after }) });
}

/** The body a few bytes at a time, with milliseconds in between. */
export function trickle(bytes: number, every: number): Fault {
  return (good) => ({ ...good, piece: { bytes, every } });
}

/** A body without an end, and without a length that would announce it. */
export const endless: Fault = (good) => ({
  ...good,
  endless: true,
  headers: withHeader(good.headers, "content-length", []),
});

/** No answer. */
export const silence: Fault = (good) => ({ ...good, raw: Buffer.alloc(0), after: "silence" });

/** A connection that ends before there is an answer. */
export const reset: Fault = (good) => ({ ...good, raw: Buffer.alloc(0), after: "reset" });

/** These bytes, whatever they are. */
export function raw(text: string | Buffer, after?: Reply["after"]): Fault {
  return (good) => ({ ...good, raw: Buffer.from(text), ...(after !== undefined && { after }) });
}

export function redirect(to: string | ((asked: Asked) => string), code = 307): Fault {
  return (_good, asked) => {
    const reply = replyOf(code, "text/plain", "");
    return { ...reply, headers: [...reply.headers, ["location", typeof to === "string" ? to : to(asked)]] };
  };
}

/** 401 with these challenges, until the question comes with a header that passes the test. */
export function challenge(challenges: readonly string[], accepts: (authorization: string) => boolean): Fault {
  return (good, { headers }) => {
    if (headers.authorization !== undefined && accepts(headers.authorization)) return good;
    const reply = replyOf(401, "application/json", '{"errors":[{"code":"UNAUTHORIZED"}]}');
    return { ...reply, headers: [...reply.headers, ...challenges.map((each) => ["www-authenticate", each] as const)] };
  };
}

/** What a sound registry answers. */
export function sound(image: BuiltImage, { subject, path, headers }: Asked): Reply {
  if (subject === "token")
    return replyOf(200, "application/json", JSON.stringify({ token: "a-token", expires_in: 300 }));
  if (subject === "tags")
    return replyOf(200, "application/json", JSON.stringify({ name: "team/app", tags: ["1", "2"] }));
  const version = path.split("?")[0]?.split("/").at(-1) ?? "";
  const digest = version.includes(":") ? version : image.target.digest;
  const content = [...image.content.values()].find(({ descriptor }) => descriptor.digest === digest);
  if (content === undefined) return replyOf(404, "application/json", '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
  const type = content.kind === "manifest" ? content.descriptor.mediaType : "application/octet-stream";
  const whole = replyOf(200, type, content.bytes);
  const named = [...whole.headers, ["docker-content-digest", digest], ["etag", `"${digest}"`]] as const;
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  if (start === 0 || content.kind === "manifest") return { ...whole, headers: named };
  const { size } = content.descriptor;
  if (start >= size)
    return {
      ...replyOf(416, type, ""),
      headers: [
        ["content-range", `bytes */${size}`],
        ["content-length", "0"],
      ],
    };
  const rest = content.bytes.subarray(start);
  const ranged = withHeader(named, "content-length", [String(rest.length)]);
  return { status: 206, body: rest, headers: [...ranged, ["content-range", `bytes ${start}-${size - 1}/${size}`]] };
}

function replyOf(code: number, type: string, content: string | Buffer): Reply {
  const bytes = Buffer.from(content);
  return {
    status: code,
    body: bytes,
    headers: [
      ["content-type", type],
      ["content-length", String(bytes.length)],
    ],
  };
}

function withHeader(
  headers: Reply["headers"],
  name: string,
  values: readonly (string | undefined)[],
): Reply["headers"] {
  const others = headers.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
  return [...others, ...values.flatMap((value) => (value === undefined ? [] : [[name, value] as const]))];
}
