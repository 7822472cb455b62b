import { homedir, userInfo } from "node:os";

/**
 * The user's own folder: also where `HOME` is empty, as the system has it then, for no path is to begin where a program
 * happens to run.
 */
export function homeFolder(said = homedir()): string {
  return said === "" ? userInfo().homedir : said;
}
