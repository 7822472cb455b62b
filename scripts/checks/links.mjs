// The pages that people read: their links lead somewhere.
import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../support/run.mjs";

/** Links of the project's Markdown files to files or headings that do not exist, one line each. */
export async function links() {
  const folders = ["docs", "bench", "examples", "charts"].map((folder) => pagesIn(folder, { recursive: true }));
  const pages = (await Promise.all([pagesIn("."), ...folders])).flat();
  if (pages.length === 0) return ["no Markdown files were found, so nothing was checked"];
  return (await Promise.all(pages.map(brokenLinks))).flat();
}

/** @type {(folder: string, options?: { recursive: boolean }) => Promise<string[]>} */
async function pagesIn(folder, options = { recursive: false }) {
  const names = await readdir(join(root, folder), options).catch(() => []);
  return names.filter((name) => name.endsWith(".md")).map((name) => join(folder, name));
}

/** @param {string} page */
async function brokenLinks(page) {
  const text = await readFile(join(root, page), "utf8");
  const found = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map((m) => m[1] ?? m[2] ?? "");
  const local = found.filter((target) => !/^[a-z]+:/.test(target));
  const missing = await Promise.all(local.map(async (target) => ((await leads(page, target)) ? [] : [target])));
  return missing.flat().map((target) => `${page} links to ${target}, which is not there`);
}

/** @type {(page: string, target: string) => Promise<boolean>} */
async function leads(page, target) {
  const [path = "", heading] = target.split("#");
  const file = path === "" ? join(root, page) : join(root, dirname(page), path);
  if (heading === undefined || !file.endsWith(".md")) return access(file).then(yes, no);
  return readFile(file, "utf8").then((text) => headingsOf(text).includes(heading), no);
}

/** The names by which GitHub links to the headings of a page. @param {string} text */
function headingsOf(text) {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const yes = () => true;
const no = () => false;
