import { describe, expect, it } from "vitest";
import { isImageList, listedImages } from "./image-list.ts";

const images = (text: string) => listedImages(text).map(({ image }) => image);

describe("a list of images", () => {
  it.each<[what: string, text: string, ...images: string[]]>([
    ["a line each", "nginx:1.25\nredis\n", "nginx:1.25", "redis"],
    ["comments and blank lines", "# ours\n\n  nginx:1 # why\n \n#redis\n", "nginx:1"],
    ["Windows line ends and a byte order mark", "\ufeffnginx:1\r\nredis:7\r\n", "nginx:1", "redis:7"],
    ["counts, as uniq -c prints them", "     12 nginx:1\n      1 redis\n", "nginx:1", "redis"],
    ["all in a line, as kubectl -o jsonpath prints them", "nginx:1 redis quay.io/a/b@x", "nginx:1 redis quay.io/a/b@x"],
    ["the same, sound", "nginx:1 redis quay.io/a/b:v2", "nginx:1", "redis", "quay.io/a/b:v2"],
    ["a port", "localhost:5000/app", "localhost:5000/app"],
    ["no image at all, which is told as it is", "Not An Image\n", "Not An Image"],
    ["a number that is no image", "nginx 1.25", "nginx 1.25"],
    ["a digest that has a # before it", "nginx#1", "nginx#1"],
  ])("has %s", (_, text, ...wanted) => {
    expect(images(text)).toEqual(wanted);
  });

  it("knows where each image begins", () => {
    const text = "\ufeff# x\r\n  3 nginx:1\r\nredis busybox:2";
    for (const { image, start } of listedImages(text)) expect(text.slice(start, start + image.length)).toBe(image);
    expect(listedImages(text)).toHaveLength(3);
  });
});

describe("standing for a list of images", () => {
  it.each<[isList: boolean, text: string]>([
    [true, "nginx:1.25\n"],
    [true, "# images\n\nlocalhost:5000/app"],
    [true, "   4 nginx"],
    [true, "nginx redis:7"],
    [true, "Not An Image"],
    [false, ""],
    [false, "# nothing\n"],
    [false, "apiVersion: v1\nkind: Pod\n"],
    [false, "---\nkind: Pod"],
    [false, "services:\n  web:\n"],
    [false, '{"kind": "Pod"}'],
    [false, "- nginx"],
    [false, "%YAML 1.1\n---\n"],
    [false, '"kind": Pod'],
    [false, "{{ if .Values.a }}"],
  ])("%s: %j", (isList, text) => expect(isImageList(text)).toBe(isList));
});
