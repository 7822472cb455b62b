/** An operating system and a processor, normalised as containerd normalises them. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty where the architecture has no variant, or has its default one. */
  readonly variant: string;
}
