const address = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>\\]+/gi;
const authorization = /\b(Basic|Bearer)\s+[A-Za-z0-9\-._~+/]{8,}=*/gi;
const queryValue = /([?&;][^=&;#]*=)[^&;#]*/g;

/**
 * For texts that others wrote: our own carry no secret. Addresses lose the login before the host and the values of
 * their queries (signed addresses are logins), and headers what they authorise with.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(address, (url) => url.replace(/^([^/]*:\/\/)[^/?#]*@/, "$1").replace(queryValue, "$1…"))
    .replace(authorization, "$1 …");
}
