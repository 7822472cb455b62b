/** A process that pulls one image into containerd, to be ended at any moment: `node puller.mjs SOCKET ROOT IMAGE`. */
import { openContainerdStore } from "../../src/store/index.ts";
import { platform } from "./platform.ts";
import { pullInto } from "./pulls.ts";

const [socket = "", root = "", image = ""] = process.argv.slice(2);
const store = await openContainerdStore({ socket, root, platform });
try {
  await pullInto(store, image);
} finally {
  await store.close();
}
