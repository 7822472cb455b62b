/** A registry with one image, which everybody may have under one name, and only ann under another. */
import { afterEach, beforeEach } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { statusOf } from "../../src/support/grpc/client.ts";
import type { Credentials } from "./server.ts";

export const users = { ann: "ann's canary", bob: "bob's canary" };
export const ann: Credentials = { username: "ann", password: users.ann };
export const bob: Credentials = { username: "bob", password: users.bob };

export interface Shop {
  readonly registry: Registry;
  readonly image: BuiltImage;
  readonly publicImage: string;
  readonly privateImage: string;
}

/** Opened before each test, and closed after it. */
export function openShop(): () => Shop {
  let shop: Shop;
  beforeEach(async () => {
    const access = {
      users,
      identityTokens: { "token canary": "ann" },
      repositories: { "team/private": ["ann"] },
    };
    const registry = await startRegistry({ access });
    const image = await buildImage({ layers: [{ filler: 300_000 }], config: { Labels: { tier: "web" } } });
    const [publicImage, privateImage] = [`${registry.host}/team/public:1`, `${registry.host}/team/private:1`] as const;
    registry.addImage("team/public:1", image);
    registry.addImage("team/private:1", image);
    shop = { registry, image, publicImage, privateImage };
  });
  afterEach(() => shop.registry.close());
  return () => shop;
}

/** `INVALID_ARGUMENT: no image is named in the request`, in the server's own words; `OK` if there was no failure. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const details = cause instanceof Error && "details" in cause ? String(cause.details) : String(error);
    return `${statusOf(error)}: ${details}`;
  }
}
