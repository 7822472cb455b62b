/** What containerd's own configuration says about where `hosts.toml` files are. Read, never changed. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { globMatches } from "../../support/wildcards.ts";
import { splitRoots } from "../folders.ts";
import { isTable, readToml, type TomlTable } from "../toml.ts";

export interface ContainerdConfig {
  readonly file: string;
  /** Whether there is such a file. */
  readonly exists: boolean;
  /** Of the file's format; 1 where it does not say. */
  readonly version: number;
  /** The roots of `config_path`; none if it is not set. */
  readonly roots: readonly string[];
  /** Whether it has the older settings of registries, beside which `config_path` is an error for containerd. */
  readonly hasOldMirrors: boolean;
}

/** The plugin that pulls images for Kubernetes, by version of the format. */
const plugins = ["io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"];
const mostImports = 100;

/** @throws PulleyError `INPUT_UNREADABLE`, `INPUT_INVALID` */
export function readContainerdConfig(file: string): ContainerdConfig {
  if (!existsSync(file)) return { file, exists: false, version: 2, roots: [], hasOldMirrors: false };
  const { table } = readToml(file);
  const tables = [table, ...importedFiles(table, file).map((path) => readToml(path).table)];
  const registries = tables.flatMap(registryTables);
  const path = registries.map((registry) => registry["config_path"]).findLast((value) => typeof value === "string");
  const version = table["version"];
  return {
    file,
    exists: true,
    version: typeof version === "number" ? version : 1,
    roots: typeof path === "string" ? splitRoots(path) : [],
    hasOldMirrors: registries.some((registry) => isFilled(registry["mirrors"]) || isFilled(registry["configs"])),
  };
}

/** What is to be written into the file, by its version. */
export function configPathLines(version: number, configPath: string): readonly string[] {
  const plugin = version >= 3 ? plugins[0] : plugins[1];
  return [`[plugins.${JSON.stringify(plugin)}.registry]`, `  config_path = ${JSON.stringify(configPath)}`];
}

function registryTables(table: TomlTable): readonly TomlTable[] {
  const all = table["plugins"];
  if (!isTable(all)) return [];
  return plugins.flatMap((name) => {
    const plugin = all[name];
    const registry = isTable(plugin) ? plugin["registry"] : undefined;
    return isTable(registry) ? [registry] : [];
  });
}

/** Files that are read after it, and override it; a path with a `*` is a pattern of Go's, as containerd has it. */
function importedFiles(table: TomlTable, file: string): readonly string[] {
  const imports = table["imports"];
  if (!Array.isArray(imports)) return [];
  const texts = imports.filter((value): value is string => typeof value === "string").slice(0, mostImports);
  return texts.flatMap((text) => matching(isAbsolute(text) ? text : join(dirname(file), text)));
}

function matching(path: string): readonly string[] {
  if (!path.includes("*")) return existsSync(path) ? [path] : [];
  const [folder, name] = [dirname(path), basename(path)];
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => globMatches(name, entry))
    .sort()
    .map((entry) => join(folder, entry));
}

function isFilled(value: unknown): boolean {
  return isTable(value) && Object.keys(value).length > 0;
}
