/** Who an image's processes run as. */
export type ImageUser = { readonly uid: number } | { readonly name: string };

const largestId = 2 ** 31 - 1;

/**
 * The user of a config's `User`, `user[:group]`; `undefined` for an empty one, which is root. A number beyond the
 * range of ids counts as a name, so that it can never be taken for root (CVE-2024-40635).
 */
export function imageUser(text: string): ImageUser | undefined {
  const [user = ""] = text.split(":", 1);
  if (user === "") return undefined;
  const uid = /^[0-9]{1,10}$/.test(user) ? Number(user) : Number.NaN;
  return uid <= largestId ? { uid } : { name: user };
}
