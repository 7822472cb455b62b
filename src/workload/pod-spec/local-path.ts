/** Paths that must stay inside the folder that they begin in (k8s `validateLocalNonReservedPath`, `validateLocalDescendingPath`). */

const longest = 4096;

/** Why a path could lead out of its folder, or is none; `undefined` if it is sound. */
export function localPathProblem(path: string): string | undefined {
  if (path.startsWith("/")) return "must be a relative path";
  if (path.split("/").includes("..")) return "must not contain '..'";
  if (path.includes("\0")) return "must not contain a null character";
  return path.length > longest ? `must be no more than ${longest} characters` : undefined;
}

/** As {@link localPathProblem}, for a file that is written in a volume: names that begin with two dots are the volume's own. */
export function filePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path.startsWith("..")) return "must not start with '..'";
  const parts = path.split("/");
  if (parts.some((part) => part === "." || part === "")) return "must not contain '.' or empty elements";
  return localPathProblem(path);
}
