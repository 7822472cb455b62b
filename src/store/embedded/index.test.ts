import { imageStoreContract } from "../contract.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

imageStoreContract("the embedded store", async () => openEmbeddedStore(await temporaryRoot()));
