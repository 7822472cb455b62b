/** What a text means, or half a sentence about what it should have been; `secret` where it must not be shown. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string; readonly secret?: true };
