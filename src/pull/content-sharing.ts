/** Whose content may be used for whom, in containerd's words (`content_sharing_policy`); see `content-proofs.ts`. */
export const contentSharings = ["isolated", "shared"] as const;

export type ContentSharing = (typeof contentSharings)[number];
