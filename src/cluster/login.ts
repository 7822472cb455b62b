/**
 * As whom, and over which connections a cluster is spoken to. Certificates, tokens, token files, exec plugins, OIDC and
 * proxies are the business of the Kubernetes client library, which is loaded with the first cluster: it takes longer than
 * many commands do.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent, type RequestOptions } from "node:https";
import { proxyFor } from "../registry/index.ts";
import type { Clock } from "../support/clock.ts";
import { errorText, hasErrno, PulleyError } from "../support/errors.ts";
import { printable } from "../support/format.ts";
import { isRecord, type JsonRecord, kept, recordsAt, textAt } from "../support/json-record.ts";
import { withoutSecrets } from "../support/without-secrets.ts";
import type { ClusterContext } from "./contexts.ts";

export interface Connection {
  /** `authorization` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
}

export interface ClusterLogin {
  /**
   * @param renew whether the login is made anew: the server has refused it
   * @throws PulleyError `CREDENTIAL_HELPER_FAILED`, `CREDENTIALS_INVALID`
   */
  connection(renew?: boolean): Promise<Connection>;
  close(): void;
}

/** Milliseconds for which a login is used before its plugin or its file is asked again, which have their own memory. */
const loginLifetime = 30_000;

/** Milliseconds that a login may take: a person may have to type something. */
const loginTimeout = 120_000;

const agentOptions = { keepAlive: true, maxFreeSockets: 4 };

interface Known extends Connection {
  readonly since: number;
  /** What the connections depend on. */
  readonly stamp: string;
}

export function openLogin(context: ClusterContext, environment: NodeJS.ProcessEnv, clock: Clock): ClusterLogin {
  const document = kubeconfigOf(context, environment);
  let library: Promise<{ applyToHTTPSOptions(options: RequestOptions): Promise<void> }> | undefined;
  let known: Known | undefined;
  let asking: Promise<Known> | undefined;

  async function loaded() {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromString(document);
    return config;
  }

  async function ask(): Promise<Known> {
    const since = clock.now();
    const options: RequestOptions = {};
    try {
      library ??= loaded();
      await within((await library).applyToHTTPSOptions(options), clock);
    } catch (error) {
      throw loginFailure(error, context);
    }
    const { ca, cert, key, servername, rejectUnauthorized = true } = options;
    const stamp = JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map(String));
    const agent = known?.stamp === stamp ? known.agent : agentFor(context, options, isProxied(document));
    if (agent !== known?.agent) known?.agent.destroy();
    return { headers: headersOf(options), agent, stamp, since };
  }

  return {
    async connection(renew = false) {
      if (renew) {
        // The library remembers what a plugin has said, and cannot be told to forget it.
        library = undefined;
        asking = undefined;
      } else if (known !== undefined && clock.now() - known.since < loginLifetime) return known;
      asking ??= ask();
      try {
        known = await asking;
      } finally {
        asking = undefined;
      }
      return known;
    },
    close: () => known?.agent.destroy(),
  };
}

async function within(login: Promise<void>, clock: Clock): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(loginTimeout, done.signal).then(() => {
    throw new Error(`nothing within ${loginTimeout / 1000} s`);
  });
  late.catch(() => undefined);
  try {
    await Promise.race([login, late]);
  } finally {
    done.abort("done");
  }
}

function agentFor({ server }: ClusterContext, options: RequestOptions, proxied: boolean): HttpAgent {
  if (proxied && options.agent instanceof HttpAgent) return options.agent;
  if (server.protocol === "http:") return new HttpAgent(agentOptions);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const verifies = rejectUnauthorized !== false;
  return new Agent({ ...agentOptions, ca, cert, key, servername, rejectUnauthorized: verifies });
}

function isProxied(document: string): boolean {
  return document.includes('"proxy-url"');
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") found[name.toLowerCase()] = value.trim();
  }
  if (auth && found["authorization"] === undefined) {
    found["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  }
  return found;
}

/** A kubeconfig with one context, as the library wants it: where it reads one in another way than kubectl, in its way. */
function kubeconfigOf(context: ClusterContext, environment: NodeJS.ProcessEnv): string {
  const { server, cluster, user } = context;
  const proxy = textAt(cluster, "proxy-url") ?? proxyFor(server, environment);
  const inCluster = {
    ...without(cluster, cluster["certificate-authority-data"] ? ["certificate-authority"] : []),
    server: server.href.replace(/\/$/, ""),
    ...(proxy !== undefined && { "proxy-url": proxy }),
    // The library refuses plain HTTP otherwise.
    ...(server.protocol === "http:" && { "insecure-skip-tls-verify": true }),
  };
  return JSON.stringify({
    clusters: [{ name: "it", cluster: inCluster }],
    users: [{ name: "it", user: userOf(context, user) }],
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    "current-context": "it",
  });
}

function userOf(context: ClusterContext, user: JsonRecord): JsonRecord {
  const { exec } = user;
  const tokenFile = textAt(user, "tokenFile");
  const data = [
    ...(user["client-certificate-data"] ? ["client-certificate"] : []),
    ...(user["client-key-data"] ? ["client-key"] : []),
  ];
  // The file takes precedence (client-go api/types.go), and is read again and again.
  const fromFile = tokenFile !== undefined && { "auth-provider": { name: "tokenFile", config: { tokenFile } } };
  return {
    ...without(user, [...data, ...(tokenFile === undefined ? [] : ["token", "tokenFile"])]),
    ...fromFile,
    ...(isRecord(exec) && { exec: withExecInfo(exec, context) }),
  };
}

/** What client-go tells each plugin (client-go plugin/pkg/client/auth/exec). */
function withExecInfo(exec: JsonRecord, { server, cluster }: ClusterContext): JsonRecord {
  const info = {
    apiVersion: textAt(exec, "apiVersion") ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(exec["provideClusterInfo"] === true && {
        cluster: { server: server.href, ...kept(cluster, ["tls-server-name", "certificate-authority-data"]) },
      }),
    },
  };
  const env = [...recordsAt(exec, "env"), { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) }];
  return { ...exec, args: Array.isArray(exec["args"]) ? exec["args"] : [], env };
}

function without(fields: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** What a library says of a login may have the login in it: only what a plugin itself writes for people is shown. */
function loginFailure(error: unknown, { user }: ClusterContext): PulleyError {
  const command = textAt(user["exec"], "command");
  if (command !== undefined) return pluginFailure(error, command, textAt(user["exec"], "installHint"));
  const path = error instanceof Error && "path" in error ? String(error.path) : "";
  const why = hasErrno(error, "ENOENT", "EACCES", "EISDIR") && path !== "" ? `cannot read ${path}` : "cannot log in";
  const words = printable(withoutSecrets(errorText(error)));
  const message = `${why}${path === "" ? `: ${words}` : ""}`;
  return new PulleyError("CREDENTIALS_INVALID", message, {
    advice: "Log in to the cluster again, so that its login command writes the kubeconfig anew.",
  });
}

function pluginFailure(error: unknown, command: string, hint: string | undefined): PulleyError {
  const start = `getting credentials: exec: executable ${printable(command)}`;
  if (hasErrno(error, "ENOENT")) {
    const advice = hint === undefined ? `Install ${command}, or put it into PATH.` : printable(hint, 1000);
    return new PulleyError("CREDENTIAL_HELPER_FAILED", `${start} not found`, { advice });
  }
  const isNoCredential = error instanceof SyntaxError || error instanceof TypeError;
  const said = isNoCredential ? "it printed no ExecCredential" : printable(withoutSecrets(errorText(error)));
  return new PulleyError("CREDENTIAL_HELPER_FAILED", `${start} failed${said === "" ? "" : `: ${said}`}`, {
    advice: "Run the program by hand to see what it says, or log in again.",
  });
}
