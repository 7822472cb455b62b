/** What a registry may take of time, and how much is asked of it at once. Those that a person can set name their flag. */

/** Blobs on their way at once, of all images together; containerd has 3, skopeo 6. */
export const transfersAtOnce = 6;

/** Bytes a second that a blob has to come at (`--least-rate`): more than the slowest modem has, shared by all transfers. */
export const defaultLeastRate = 1024;

/** Milliseconds for name, connection and TLS together. */
export const defaultConnectTimeout = 30_000;

/** Milliseconds from the connection to the head of the answer. */
export const defaultAnswerTimeout = 30_000;

/** Milliseconds without a byte after which a source counts as stalled. */
export const defaultStallTimeout = 60_000;

/** Milliseconds for the whole of a document, with all that is asked for it and every attempt. */
export const defaultDocumentTimeout = 120_000;

/** Documents whose time a list that comes in pages has. */
export const documentsOfList = 5;

/** Milliseconds for a token, with every attempt: many may wait for the same one. */
export const tokenTimeout = 60_000;
