import { familiarName, parseReference } from "../image/reference.ts";
import type { AccessResult, PullRecords } from "../pull/records/index.ts";

type Asking = Pick<PullRecords, "access" | "begin" | "succeed" | "fail">;

/**
 * Records of who may have an image are kept by the name that is written. A pull writes it out in full, and a pod perhaps
 * short, `nginx`: what is recorded for one counts for the other.
 */
export function underBothNames<Records extends Asking>(records: Records): Records {
  const forBoth = async (image: string, act: (name: string) => Promise<unknown>) => {
    for (const name of namesOf(image)) await act(name);
  };
  return {
    ...records,
    begin: (image) => forBoth(image, records.begin),
    succeed: (image, id, login) => forBoth(image, (name) => records.succeed(name, id, login)),
    fail: (image) => forBoth(image, records.fail),
    access: async (image, id, logins) => {
      let result: AccessResult = "mustAuthenticate";
      for (const name of namesOf(image)) {
        result = await records.access(name, id, logins);
        if (result === "credentialPolicyAllowed" || result === "credentialRecordFound") return result;
      }
      return result;
    },
  };
}

function namesOf(image: string): ReadonlySet<string> {
  const { repository } = parseReference(image);
  return new Set([image, `${familiarName(repository)}${image.slice(repository.name.length)}`]);
}
