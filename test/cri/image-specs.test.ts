import { criImageSpecs } from "./image-specs.ts";
import { startCri } from "./server.ts";

criImageSpecs("the image service over the embedded store, as critest asks", () => startCri());
