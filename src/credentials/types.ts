/** Where logins come from. */
import type { Repository } from "../image/index.ts";
import type { Login } from "../support/login.ts";

/** Something that may know logins for a repository; the order of the answer is the order in which they are tried. */
export interface LoginSource {
  /** @throws PulleyError `CREDENTIALS_INVALID`, `CREDENTIAL_HELPER_FAILED` */
  logins(repository: Repository): Promise<readonly Login[]>;
  /** Of a pod's logins: why the Secrets that it names give it none. */
  notes?(repository: Repository): SecretNotes;
}

export interface SecretNotes {
  /** A sentence for each Secret that is named and has no login for the image. One that has is not among them: it is tried. */
  readonly notes: readonly string[];
  /** What to do about them. */
  readonly advice: string;
}
