/** Containers of one text that are looked at, at most: a cluster's worth, and not more than memory has room for. */
export const mostSubjects = 50_000;
