/** What a request carried in secret: there are servers that say back what they were sent, in whatever form. */

/** What of a request may be secret: an `Exchange` has it. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The form of a question for a token. */
  readonly body?: string | undefined;
}

/** A server's words without what the request that they answer has told it in secret. */
export function withoutSent(words: string, sent: Sent): string {
  const forms = secretsOf(sent)
    .filter((secret) => secret !== "")
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  return forms.reduce((text, secret) => text.replaceAll(secret, "…"), words);
}

function secretsOf({ headers, body = "" }: Sent): readonly string[] {
  const [scheme = "", told = ""] = (headers?.["authorization"] ?? "").split(" ", 2);
  const pair = scheme === "Basic" ? Buffer.from(told, "base64").toString() : "";
  return [told, pair.slice(pair.indexOf(":") + 1), new URLSearchParams(body).get("refresh_token") ?? ""];
}
