import { describe, expect, it } from "vitest";
import { parseReference } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { findSources } from "./sources.ts";
import { loginOf } from "./testing/logins.ts";

const nginx = parseReference("nginx:1.27");
const hub = "https://registry-1.docker.io";
const own = async () => [loginOf("own", "ann")];

/** What logins were asked for, and which mirror got which. */
async function sourcesOf(addresses: readonly string[], reference = nginx) {
  const asked: string[] = [];
  const logins = {
    logins: async ({ name }: { readonly name: string }) => {
      asked.push(name);
      return [new Login(name, { kind: "password", username: "mia", password: "s3cret" }, { kind: "node" })];
    },
  };
  const sources = await findSources(addresses, reference, own, logins);
  const found = sources.map(({ address, mirror, logins: given }) => [
    address,
    mirror,
    given.map(({ source }) => source),
  ]);
  return { asked, found };
}

describe("the sources of an image", () => {
  it("are in the order of the decision, each with logins of its own", async () => {
    const { asked, found } = await sourcesOf([hub, "https://b.acme.io", "https://a.acme.io:8443/hub"]);
    expect(asked).toEqual(["b.acme.io/library/nginx", "a.acme.io:8443/hub/library/nginx"]);
    expect(found).toEqual([
      [hub, false, ["secret default/own"]],
      ["https://b.acme.io", true, ["b.acme.io/library/nginx"]],
      ["https://a.acme.io:8443/hub", true, ["a.acme.io:8443/hub/library/nginx"]],
    ]);
  });

  it("do not include the registry where it is not named", async () => {
    expect((await sourcesOf(["https://a.acme.io"])).found).toHaveLength(1);
  });

  it.each(["https://mirror", "https://localhost", "https://index.docker.io", "no address"])(
    "%s gets no login, for those who look logins up would take it for Docker Hub",
    async (address) => {
      const { asked, found } = await sourcesOf([address], parseReference("quay.io/team/app:1"));
      expect(asked).toEqual([]);
      expect(found).toEqual([[address, true, []]]);
    },
  );

  it("never give a mirror the registry's own logins, whatever its path", async () => {
    const { found } = await sourcesOf(["https://registry-1.docker.io/hub", "https://docker.io.example.com"]);
    expect(JSON.stringify(found)).not.toContain("default/own");
  });

  it("never give a mirror a login that was typed in", async () => {
    const typed = new Login("--creds", { kind: "password", username: "ann", password: "s3cret" });
    const sources = await findSources(["https://a.acme.io"], nginx, own, { logins: async () => [typed] });
    expect(sources[0]?.logins).toEqual([]);
  });

  it("go on without a mirror whose logins cannot be found out", async () => {
    const broken = { logins: () => Promise.reject(new Error("no helper")) };
    const sources = await findSources(["https://a.acme.io", hub], nginx, own, broken);
    expect(sources).toMatchObject([{ failure: { error: { message: "no helper" } } }, { address: hub, mirror: false }]);
  });

  it("are not there if the registry's own logins cannot be found out", async () => {
    const failing = () => Promise.reject(new Error("no helper"));
    await expect(findSources([hub], nginx, failing, { logins: async () => [] })).rejects.toThrow("no helper");
  });
});
