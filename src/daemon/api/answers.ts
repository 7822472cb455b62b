import type { Answer } from "../../support/read-only-server.ts";
import type { FailureObject } from "./objects.ts";
import { apiVersion } from "./version.ts";

const json = "application/json";

export function objectAnswer(object: unknown, status = 200): Answer {
  return { status, type: json, body: `${JSON.stringify(object)}\n` };
}

export function listAnswer(kind: string, items: readonly unknown[]): Answer {
  return objectAnswer({ apiVersion, kind, items });
}

/** One object a line, as they come. */
export function streamAnswer(objects: AsyncIterable<unknown>): Answer {
  return { status: 200, type: `${json};stream=watch`, body: linesOf(objects) };
}

async function* linesOf(objects: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}

export function badRequest(message: string): Answer {
  return failure(400, "BadRequest", message);
}

/** `pods "web" not found`, as an API server says it. */
export function notFound(what: string, name: string): Answer {
  return failure(404, "NotFound", `${what} ${JSON.stringify(name)} not found`);
}

export function tooMany(message: string): Answer {
  return failure(429, "TooManyRequests", message);
}

function failure(code: number, reason: string, message: string): Answer {
  return objectAnswer({ kind: "Status", status: "Failure", message, reason, code } satisfies FailureObject, code);
}
