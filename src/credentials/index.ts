/** Where logins come from. */
import type { Repository } from "../image/reference.ts";
import type { Login } from "../support/login.ts";

/** Something that may know logins for a repository; the order of the answer is the order in which they are tried. */
export interface LoginSource {
  /** @throws PulleyError `CREDENTIALS_INVALID`, `CREDENTIAL_HELPER_FAILED` */
  logins(repository: Repository): Promise<readonly Login[]>;
}
