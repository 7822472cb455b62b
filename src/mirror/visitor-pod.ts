import { askingPod } from "../pull/index.ts";

/**
 * The pod that stands for whoever asks the mirror. Nobody there says which pod an image is for, so that rules about
 * namespaces and labels see this one.
 */
export const visitorPod = (image: string) => askingPod(image, { name: "pulley-mirror" });
