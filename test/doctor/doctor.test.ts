import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { diagnosisLines, exitStatus, shownDiagnosis } from "../../src/cli/doctor-view.ts";
import { loginsFor } from "../../src/credentials/index.ts";
import type { DiskSpace } from "../../src/doctor/diagnose.ts";
import { createProbe, type DiagnosisRequest, diagnose } from "../../src/doctor/index.ts";
import { readImageName } from "../../src/image/index.ts";
import { kubernetesOnly, type Policy, readPolicy } from "../../src/policy/index.ts";
import type { LocalImage } from "../../src/pull/image-service.ts";
import { createRegistryClient } from "../../src/registry/index.ts";
import { Login } from "../../src/support/login.ts";
import { painter } from "../../src/support/terminal.ts";
import type { ImageRequest, PullPolicy, PullSecret } from "../../src/workload/index.ts";
import {
  type Certificates,
  type DockerRegistry,
  describeWith,
  makeCertificates,
  startDockerRegistry,
} from "../tools.ts";
import {
  closingServer,
  oddCertificate,
  plainServer,
  type Running,
  refusingProxy,
  secureServer,
  silentServer,
} from "./servers.ts";

const now = Date.now();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-doctor-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Given {
  readonly policy?: Policy;
  readonly pullPolicy?: PullPolicy;
  readonly secrets?: DiagnosisRequest["secrets"];
  readonly logins?: readonly Login[];
  readonly certDirs?: readonly string[];
  readonly plainHttp?: true;
  readonly environment?: NodeJS.ProcessEnv;
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
  readonly search?: readonly string[];
  readonly platform?: string;
  readonly copy?: LocalImage;
  readonly disk?: DiskSpace;
  readonly notes?: readonly string[];
  readonly clock?: number;
  /** Whether the other side is silent: it is given up soon then. */
  readonly silence?: true;
}

/** Milliseconds: long, for only what is silent is to run into them, however busy the machine is. */
const patient = { dns: 60_000, connection: 60_000, answer: 60_000 };
const hasty = { dns: 500, connection: 500, answer: 1500 };

const plenty: DiskSpace = { folder: "/var/lib/pulley", free: 50e9, total: 100e9, freeFiles: 1000 };

async function report(image: string, given: Given = {}) {
  const { policy = kubernetesOnly, secrets, environment = {}, certDirs = [], notes = [], disk = plenty } = given;
  const options = { certDirs, ...(given.plainHttp && { plainHttp: given.plainHttp }) };
  const time = given.clock ?? now;
  const clock = { now: () => time, sleep: () => Promise.resolve() };
  const registry = createRegistryClient(options, { clock, environment });
  const resolver = {
    lookUp: given.lookUp ?? (() => Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" }))),
    configuration: async () => ({ servers: ["10.0.0.53"], search: given.search ?? [] }),
  };
  const probe = createProbe(options, { environment, resolver });
  const [architecture = "amd64", variant = ""] = (given.platform ?? "amd64").split("/");
  const request: ImageRequest = {
    workload: { apiVersion: "v1", kind: "Pod", namespace: "prod", name: "web", labels: {}, annotations: {} },
    container: { name: "app", kind: "container" },
    image: readImageName(image),
    pullPolicy: given.pullPolicy,
  };
  const own = { logins: async () => given.logins ?? [] };
  const logins = loginsFor(secrets?.found ?? [], [own]);
  try {
    const diagnosis = await diagnose(
      { request, secrets, logins },
      {
        probe,
        registry,
        policy,
        platform: { os: "linux", architecture, variant },
        facts: {
          images: { status: async () => given.copy, facts: async () => undefined },
          records: undefined,
          clock,
        },
        disk: async () => disk,
        loginNotes: () => notes,
        timeouts: given.silence ? hasty : patient,
        signal: new AbortController().signal,
      },
    );
    const shown = shownDiagnosis(diagnosis, null);
    const lines = diagnosisLines(shown, painter(false), Number.POSITIVE_INFINITY);
    return { text: `${lines.join("\n")}\nexit ${exitStatus([shown])}\n`, shown };
  } finally {
    probe.close();
    await registry.close();
  }
}

/** What differs from run to run is left out. */
function settled(text: string): string {
  return text
    .replaceAll(folder, "FOLDER")
    .replaceAll(/certs-127\.0\.0\.1-\d+/g, "CERTS")
    .replaceAll(/the certificate ends soon, on \S+/g, "the certificate ends soon, on DAY")
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:DIGEST")
    .replaceAll(/(connected to .*) in \S+\n/g, "$1 in TIME\n")
    .replaceAll(/valid until \d{4}-\d\d-\d\d/g, "valid until DAY");
}

async function expectReport(name: string, image: string, given?: Given): Promise<void> {
  const { text } = await report(image, given);
  await expect(settled(text)).toMatchFileSnapshot(`golden/${name}.txt`);
}

async function using(server: Promise<Running>): Promise<Running> {
  const running = await server;
  onTestFinished(() => running.stop());
  return running;
}

const login = (source: string, username: string, password: string) =>
  new Login(source, { kind: "password", username, password }, { kind: "node" });

describe("the name", () => {
  it.each([
    ["name-scheme", "https://Registry.acme.io/Team/App:V1"],
    ["name-blank", "nginx latest"],
    ["name-digest", "nginx@sha256:abc"],
  ])("%s", (name, image) => expectReport(name, image));
});

describe("DNS", () => {
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

  it.each<[name: string, image: string, given: Given]>([
    ["dns-unknown", "registry.acme.invalid/app:1", {}],
    ["dns-misspelt", "quay.oi/app:1", {}],
    ["dns-offline", "nginx:1.27", {}],
    ["dns-short", "registry:5000/app:1", { search: ["acme.io", "corp.acme.io"] }],
    ["dns-service", "registry.tools.svc.cluster.local:5000/app:1", {}],
    ["dns-no-server", "registry.acme.io/app:1", { lookUp: failing("EAI_AGAIN") }],
    ["dns-hangs", "registry.acme.io/app:1", { lookUp: () => new Promise(() => undefined), silence: true }],
    ["dns-proxy", "registry.acme.io/app:1", { environment: { HTTPS_PROXY: "http://me:Canary7@proxy.acme.io:3128" } }],
  ])("%s", (name, image, given) => expectReport(name, image, given));

  it("finds a name behind a search domain, and says so", async () => {
    const server = await using(silentServer());
    const lookUp = async (name: string) => {
      if (name === "hub" || name === "hub.corp.acme.io.") return ["127.0.0.1"];
      throw Object.assign(new Error("none"), { code: "ENOTFOUND" });
    };
    const { shown } = await report(`hub:${server.port}/app:1`, {
      lookUp,
      search: ["acme.io", "corp.acme.io"],
      silence: true,
    });
    const dns = shown.steps.find(({ step }) => step === "dns");
    expect(dns).toMatchObject({
      status: "ok",
      fact: "hub is 127.0.0.1",
      hints: [
        "it is found only behind the search domain corp.acme.io of /etc/resolv.conf, which other machines may not have",
      ],
    });
  });
});

describe("the connection", () => {
  it("tcp-refused", async () => {
    const server = await silentServer();
    await server.stop();
    await expectReport("tcp-refused", `${server.host}/app:1`);
  });

  it("tcp-proxy-refused", async () => {
    const server = await silentServer();
    await server.stop();
    const environment = { HTTPS_PROXY: `http://me:Canary7@${server.host}` };
    await expectReport("tcp-proxy-refused", "registry.acme.io/app:1", { environment });
  });

  it("http-silent", async () =>
    expectReport("http-silent", `${(await using(silentServer())).host}/app:1`, { silence: true }));

  it("http-closed", async () => expectReport("http-closed", `${(await using(closingServer())).host}/app:1`));

  it.each([
    ["proxy-refuses", "403 Forbidden"],
    ["proxy-login", "407 Proxy Authentication Required"],
  ])("%s", async (name, status) => {
    const proxy = await using(refusingProxy(status));
    const environment = { HTTPS_PROXY: `http://me:Canary7@${proxy.host}` };
    await expectReport(name, "registry.acme.io/app:1", { environment });
  });

  it("proxy-closes", async () => {
    const proxy = await using(closingServer());
    await expectReport("proxy-closes", "registry.acme.io/app:1", {
      environment: { HTTPS_PROXY: `http://${proxy.host}` },
    });
  });

  it("page", async () => {
    const server = await using(
      plainServer((_request, response) => {
        response.setHeader("content-type", "text/html").end("<h1>Welcome to the hotel</h1>");
      }),
    );
    await expectReport("page", `${server.host}/app:1`);
  });

  it("failing", async () => {
    const server = await using(
      plainServer((_request, response) => {
        response.writeHead(503).end("upstream is down");
      }),
    );
    await expectReport("failing", `${server.host}/app:1`);
  });

  it("clock", async () => {
    const server = await using(
      plainServer((_request, response) => {
        response.setHeader("date", new Date(now - 600_000).toUTCString());
        response.setHeader("docker-distribution-api-version", "registry/2.0");
        response
          .writeHead(404)
          .end('{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}');
      }),
    );
    await expectReport("clock", `${server.host}/app:1`);
  });
});

describeWith(["openssl"], "TLS", () => {
  let certificates: Certificates;
  let certDirs: string;

  beforeAll(async () => {
    certificates = await makeCertificates(join(folder, "certificates"));
  });

  /** Where loopback hosts are to be spoken to by TLS, there are certificates for them. */
  async function trusting(host: string, authority: string): Promise<string> {
    certDirs = join(folder, `certs-${host.replace(":", "-")}`);
    await mkdir(join(certDirs, host), { recursive: true });
    await copyFile(authority, join(certDirs, host, "ca.crt"));
    return certDirs;
  }

  const authorityPair = () => ({
    certificate: certificates.authority,
    key: certificates.authority.replace(/\.pem$/, ".key"),
  });

  async function odd(names: string, from: string, to: string) {
    return oddCertificate(join(folder, "certificates"), authorityPair(), { names, from, to });
  }

  const answering: Parameters<typeof secureServer>[1] = (_request, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0").writeHead(401).end();
  };

  it.each<[name: string, names: string, from: string, to: string]>([
    ["tls-expired", "IP:127.0.0.1", "20200101000000Z", "20200601000000Z"],
    ["tls-not-yet", "IP:127.0.0.1", "20900101000000Z", "20950101000000Z"],
    ["tls-other-name", "DNS:registry.acme.io,DNS:*.acme.io", "20200101000000Z", "20950101000000Z"],
  ])("%s", async (name, names, from, to) => {
    const server = await using(secureServer(await odd(names, from, to), answering));
    const trusted = await trusting(server.host, certificates.authority);
    const { text } = await report(`${server.host}/app:1`, { certDirs: [trusted] });
    const stable = settled(text).replaceAll(/, \d+ days ago|, in \d+ days/g, ", DAYS away");
    await expect(stable).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it("tls-unknown-authority", async () => {
    const server = await using(secureServer(certificates.server, answering));
    // A client certificate's authority is no registry's.
    const other = await makeCertificates(join(folder, "other"));
    const trusted = await trusting(server.host, other.client.certificate);
    await expectReport("tls-unknown-authority", `${server.host}/app:1`, { certDirs: [trusted] });
  });

  it("tls-self-signed", async () => {
    const server = await using(secureServer(authorityPair(), answering));
    const other = await makeCertificates(join(folder, "other"));
    const trusted = await trusting(server.host, other.authority);
    await expectReport("tls-self-signed", `${server.host}/app:1`, { certDirs: [trusted] });
  });

  it("tls-plain: TLS is spoken to a server that does not", async () => {
    const server = await using(plainServer((_request, response) => response.end()));
    const trusted = await trusting(server.host, certificates.authority);
    await expectReport("tls-plain", `${server.host}/app:1`, { certDirs: [trusted] });
  });

  it("plain-tls: plain HTTP is spoken to a server of TLS", async () => {
    const server = await using(secureServer(certificates.server, answering));
    await expectReport("plain-tls", `${server.host}/app:1`);
  });

  it("tls-silent", async () => {
    const server = await using(silentServer());
    const trusted = await trusting(server.host, certificates.authority);
    await expectReport("tls-silent", `${server.host}/app:1`, { certDirs: [trusted], silence: true });
  });

  it("tls-ok", async () => {
    const server = await using(secureServer(certificates.server, answering));
    const trusted = await trusting(server.host, certificates.authority);
    await expectReport("tls-ok", `${server.host}/app:1`, { certDirs: [trusted] });
  });
});

describe("the registry's answer", () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry({
      access: { users: { ann: "Canary7ann", bob: "Canary7bob" }, repositories: { "private/app": ["ann"] } },
    });
    const layers = [{ filler: 1000 }];
    for (const tag of ["1.27.1", "1.27.2", "latest", "v2.0"]) {
      registry.addImage(`team/app:${tag}`, await buildImage({ layers, platforms: ["linux/amd64", "linux/arm64"] }));
    }
    registry.addImage("private/app:1.0", await buildImage({ layers, seed: "private" }));
  });

  afterAll(() => registry.close());

  const secret = (name: string, location: string, username: string, password: string): PullSecret => ({
    uid: name,
    namespace: "prod",
    name,
    type: "kubernetes.io/dockerconfigjson",
    content: JSON.stringify({ auths: { [location]: { username, password } } }),
  });

  it("healthy", () => expectReport("healthy", `${registry.host}/team/app:1.27.1`));

  it("private", () =>
    expectReport("private", `${registry.host}/private/app:1.0`, {
      logins: [
        login("/root/.docker/config.json", "bob", "Canary7bob"),
        login("credential provider acme", "ann", "Canary7ann"),
      ],
    }));

  it("private-nobody", () => expectReport("private-nobody", `${registry.host}/private/app:1.0`));

  it("private-secrets", () =>
    expectReport("private-secrets", `${registry.host}/private/app:1.0`, {
      secrets: {
        namespace: "prod",
        found: [secret("hub", "https://index.docker.io/v1/", "ann", "Canary7ann")],
        missing: ["regcred"],
      },
      notes: ["credential provider acme: exit status 1: no role"],
    }));

  it("wrong-password", () =>
    expectReport("wrong-password", `${registry.host}/private/app:1.0`, {
      secrets: { namespace: "prod", found: [secret("regcred", registry.host, "ann", "Canary7wrong")], missing: [] },
    }));

  it("public-with-wrong-login", () =>
    expectReport("public-with-wrong-login", `${registry.host}/team/app:1.27.1`, {
      logins: [login("/root/.docker/config.json", "ann", "Canary7wrong")],
    }));

  it.each([
    ["tag-misspelt", "team/app:1.72.1"],
    ["tag-v", "team/app:2.0"],
    ["tag-none", "team/app:nightly-2026-06-01"],
    ["repository-none", "team/ap:1"],
    ["digest-none", `team/app@sha256:${"0".repeat(64)}`],
  ])("%s", (name, image) => expectReport(name, `${registry.host}/${image}`));

  it("platform", () => expectReport("platform", `${registry.host}/team/app:latest`, { platform: "s390x" }));

  it("disk", () => expectReport("disk", `${registry.host}/team/app:latest`, { disk: { ...plenty, free: 100 } }));

  it("never", () => expectReport("never", `${registry.host}/team/app:latest`, { pullPolicy: "Never" }));

  it("rules", () => {
    const text = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: production }
spec:
  rules:
    - name: only-ours
      match: { images: ["registry.acme.io/**"] }
      admit: Allow
    - name: nothing-else
      admit: Deny
      message: Images come from registry.acme.io.
`;
    const { policy, problems } = readPolicy([{ text, file: "policy.yaml" }]);
    expect(problems).toEqual([]);
    return expectReport("rules", `${registry.host}/team/app:latest`, { policy });
  });

  it("a rule on trial: the image can be pulled, and would be refused", async () => {
    const text = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: p }
spec: { rules: [{ name: try, mode: Warn, admit: Deny }, { name: small, mode: Warn, require: { maxSize: 10 } }] }
`;
    const { policy, problems } = readPolicy([{ text, file: "policy.yaml" }]);
    expect(problems).toEqual([]);
    const { shown } = await report(`${registry.host}/team/app:latest`, { policy });
    expect(shown).toMatchObject({
      verdict: "Healthy",
      warnings: [
        { rule: "p/try", reason: "ImageDenied" },
        { rule: "p/small", reason: "RequirementNotMet" },
      ],
    });
    await expectReport("trial", `${registry.host}/team/app:latest`, { policy });
  });

  it("mirrors: one is down, and the registry itself serves the image", async () => {
    const down = await silentServer();
    await down.stop();
    const text = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: { name: near }
spec:
  rules:
    - name: near
      from: { mirrors: ["http://${down.host}/hub"] }
`;
    const { policy, problems } = readPolicy([{ text, file: "policy.yaml" }]);
    expect(problems).toEqual([]);
    await expectReport("mirrors", `${registry.host}/team/app:latest`, { policy });
  });

  it("no login is in any report", async () => {
    const { shown, text } = await report(`${registry.host}/private/app:1.0`, {
      secrets: { namespace: "prod", found: [secret("regcred", registry.host, "ann", "Canary7wrong")], missing: [] },
      logins: [login("/root/.docker/config.json", "bob", "Canary7bob")],
    });
    const encoded = Buffer.from("ann:Canary7wrong").toString("base64");
    for (const trace of ["Canary7", encoded]) expect(JSON.stringify(shown) + text).not.toContain(trace);
  });
});

describe("Docker Hub's limit", () => {
  const quota = (remaining: number, status: number) =>
    plainServer((request, response) => {
      response.setHeader("docker-distribution-api-version", "registry/2.0");
      if (request.url === "/v2/") {
        response.end("{}");
        return;
      }
      response.setHeader("ratelimit-limit", "100;w=21600");
      response.setHeader("ratelimit-remaining", `${remaining};w=21600`);
      response.setHeader("docker-ratelimit-source", "203.0.113.7");
      if (status === 429) response.setHeader("retry-after", "1800");
      response
        .writeHead(status)
        .end(
          status === 429
            ? '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
            : "",
        );
    });

  it("rate-limited", async () => {
    const server = await using(quota(0, 429));
    await expectReport("rate-limited", `${server.host}/app:1`);
  });
});

describe("a token service", () => {
  it("token-service-down", async () => {
    const down = await silentServer();
    await down.stop();
    const server = await using(
      plainServer((_request, response) => {
        response.setHeader("docker-distribution-api-version", "registry/2.0");
        response.setHeader("www-authenticate", `Bearer realm="http://${down.host}/token",service="acme"`);
        response.writeHead(401).end();
      }),
    );
    await expectReport("token-service-down", `${server.host}/app:1`);
  });
});

describeWith(["docker-registry", "openssl", "perl"], "Debian's registry", () => {
  let registry: DockerRegistry;
  let trusted: string;

  beforeAll(async () => {
    const certificates = await makeCertificates(join(folder, "debian"));
    registry = await startDockerRegistry({
      htpasswd: { username: "ann", password: "Canary7ann" },
      tls: certificates.server,
    });
    trusted = join(folder, "debian-certs");
    await mkdir(join(trusted, registry.host), { recursive: true });
    await copyFile(certificates.authority, join(trusted, registry.host, "ca.crt"));
  });

  afterAll(() => registry?.stop());

  it("wants a login", () => expectReport("debian-nobody", `${registry.host}/team/app:1`, { certDirs: [trusted] }));

  it("refuses one", () =>
    expectReport("debian-refused", `${registry.host}/team/app:1`, {
      certDirs: [trusted],
      logins: [login("/root/.docker/config.json", "ann", "Canary7wrong")],
    }));

  it("has no such image", () =>
    expectReport("debian-missing", `${registry.host}/team/app:1`, {
      certDirs: [trusted],
      logins: [login("/root/.docker/config.json", "ann", "Canary7ann")],
    }));

  it("speaks TLS where plain HTTP is spoken to it", () => expectReport("debian-plain", `${registry.host}/team/app:1`));
});
