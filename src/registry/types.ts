/** Speaking to registries (distribution-spec 1.1): every byte that comes in is counted, hashed and bounded. */

import type { HostsDirectory } from "../hosts/index.ts";
import type { Descriptor, Digest, Repository, Tag } from "../image/index.ts";
import type { Login } from "../support/login.ts";
import type { TagPages } from "./tag-pages.ts";

export interface RegistryClient {
  /**
   * What a tag or digest stands for now, by one HEAD; by a GET only where the registry's HEAD does not say.
   * @throws PulleyError any of the registry codes of the error table
   */
  resolve(at: Location, call: RegistryCall): Promise<Descriptor>;
  /** A manifest or index, verified; its media type is the one that body and header agree on. At most 4 MiB. */
  manifest(at: Location, call: RegistryCall): Promise<Fetched>;
  /** Small content by digest (an image's config), verified. At most `limit` bytes. */
  blob(repository: Repository, descriptor: Descriptor, limit: number, call: RegistryCall): Promise<Buffer>;
  /**
   * Bytes of some content, by one HEAD: whether this repository has it for this login, and how much it is.
   * @throws PulleyError any of the registry codes; `REGISTRY_PROTOCOL` if the answer does not say the length
   */
  blobSize(repository: Repository, digest: Digest, call: RegistryCall): Promise<number>;
  /**
   * Large content into a file, verified, resuming what is already in it. A small fixed number of worker threads does the
   * work, a blob at a time each, so that hashing and writing use more than one core; who asks then waits his turn. What
   * was received stays in the file for the next attempt, unless it turned out to be wrong: then the file is emptied.
   * A foreign layer that the registry does not have is asked for at its own addresses, where their hosts are allowed.
   */
  download(repository: Repository, blob: BlobTarget, call: DownloadCall): Promise<void>;
  /**
   * Ends when the registry or mirror has answered anything, a refusal too; takes no login.
   * @throws PulleyError as any request
   */
  ping(repository: Repository, call: Omit<RegistryCall, "login">): Promise<void>;
  /**
   * Shows a registry a login, at the address that every registry answers.
   * @param registry host and port, as in images' names
   * @returns whether the registry has asked for a login; if it has not, the login is untested
   * @throws PulleyError `REGISTRY_UNAUTHORIZED` if it is refused, in docker's words; or as any request
   */
  logIn(registry: string, call: RegistryCall & { readonly login: Login }): Promise<boolean>;
  /**
   * All tags, each once, in the registry's order, page by page from the same origin only.
   * @throws PulleyError any of the registry codes: `REGISTRY_PROTOCOL` for a list without an end, and from a registry that
   * gives no lists; `REDIRECT_REFUSED` for a next page elsewhere; `TOO_LARGE` beyond 500 000 tags
   */
  tags(repository: Repository, call: TagsCall): Promise<readonly string[]>;
  /** What registries have last said of how many requests they allow, by the host and port that were asked. */
  quotas(): ReadonlyMap<string, RegistryQuota>;
  close(): Promise<void>;
}

export interface Location {
  readonly repository: Repository;
  readonly version: Tag | Digest;
}

export interface RegistryCall {
  /** For the one who is asked: the mirror, if there is one. Absent: anonymous. */
  readonly login?: Login | undefined;
  /**
   * Base address of a mirror to ask in the place of the repository's own registry, or the address of a host that is set
   * up for the registry (`hosts`), and then spoken to as it says there. A mirror is `https://mirror.acme.io`, or with a
   * path that goes before the repository's, `https://mirror.acme.io/hub`. It is told in the query which registry is meant
   * (`ns`, distribution-spec "Registry proxying"). The scheme is spoken as it is written: that `http` is meant is for those
   * to see to who read the configuration. What a mirror says of a tag is taken for true; content is verified against its
   * digest, whoever sends it.
   */
  readonly mirror?: string | undefined;
  /** Not to try again what failed, and what broke off only while it gets on: there is another source to ask. */
  readonly noRetry?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TagsCall extends RegistryCall {
  /** What earlier calls were given, if the caller keeps that: pages that are still the same are not sent again. */
  readonly pages?: TagPages | undefined;
}

export interface DownloadCall extends RegistryCall {
  /** Called as bytes arrive, at most ten times a second and once at its end. */
  readonly onProgress?: (progress: BlobProgress) => void;
}

export interface BlobTarget {
  readonly descriptor: Descriptor;
  /** The file to write; bytes from an earlier attempt may be in it, and are verified again. */
  readonly path: string;
}

export interface BlobProgress {
  readonly digest: Digest;
  /** Bytes verified or received so far, of the descriptor's size. */
  readonly received: number;
  /** Bytes that an earlier attempt had left. */
  readonly resumed: number;
}

export interface Fetched {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** How the client speaks; every field has a default that is safe. */
export interface RegistryOptions {
  /** Registries (`host:port`) to speak plain HTTP with, or `true` for all. Loopback hosts need no mention. */
  readonly plainHttp?: true | readonly string[];
  /** Folders laid out as docker's `certs.d`: `<host:port>/{*.crt, *.cert + *.key}`. */
  readonly certDirs?: readonly string[];
  /** Where registries are asked, and how their hosts are spoken to, by containerd's `hosts.toml` files. */
  readonly hosts?: HostsDirectory | undefined;
  /**
   * Hosts, `cdn.acme.io` or `127.0.0.1:9000`, to which every registry may send us, with redirects or for tokens. Others may
   * lead to places of their own kind or a more public one: a public registry to public addresses, one in a private network
   * to private ones, too; to this machine only a registry that is on it, and to link-local addresses only one that is there.
   */
  readonly allowedRedirects?: readonly string[];
  /**
   * Hosts, with or without a port, that are asked for foreign layers which a registry does not have, if their manifest names
   * them (`urls`): by https, or where `plainHttp` says so by http, and without a login. Default: none.
   */
  readonly foreignLayerHosts?: readonly string[];
  /**
   * A name for a program that passes requests on for others, sent to registries and mirrors in the header `Via` (RFC 9110,
   * section 7.6.3), so that it recognises a request that comes back to it. Not sent to places that they redirect to.
   */
  readonly via?: string;
  /** Milliseconds without a byte after which a source counts as stalled. Default `defaultStallTimeout`. */
  readonly stallTimeout?: number;
  /**
   * Milliseconds for the whole of a document (manifest, config, token, page of a list), with everything that is asked for
   * it and every attempt. A list of all tags has `documentsOfList` times as much. Default
   * `defaultDocumentTimeout`.
   */
  readonly documentTimeout?: number;
  /** Bytes a second that a blob has to come at, on average over every five minutes; 0: any. Default `defaultLeastRate`. */
  readonly leastRate?: number;
  /** Milliseconds for name, connection and TLS together. Default `defaultConnectTimeout`. */
  readonly connectTimeout?: number;
  /**
   * Milliseconds that a registry which answers 429 may ask for; where it asks for more, calls fail at once until then.
   * Default `longestWaitAsked`.
   */
  readonly longestWait?: number;
  /**
   * Most requests to one origin at once, for callers with very many: they are sent one after another when there have been
   * many, and after a 429 below the rate at which it came. The waits count for none of the time limits. Default: any
   * number, at any rate.
   */
  readonly pace?: number;
  /**
   * Milliseconds for which a registry that nobody answers at is taken to be down, and not asked: no such name, no
   * connection, or no answer in time. Others wait for the first request's answer then, however long that takes. So is one
   * that has failed (500 and above, or connections that break) or refused (429) every attempt of a request, with nothing
   * that passed in between. Default: two seconds for nobody who answers, where that took half a second to find out, and
   * others wait for one second; every request has its own attempts.
   */
  readonly rememberDownFor?: number;
  /** Called when a registry has answered 429, and the wait that it asks for begins. */
  readonly onWait?: OnWait;
  /**
   * Whether the calling thread downloads, too, which saves a thread's memory and the time to start it. For programs
   * that have nothing else to do meanwhile; not for those that answer others. Default false.
   */
  readonly takesPart?: boolean;
  /** Large blobs downloaded at once. Default: as many as there are processors, from 2 to `transfersAtOnce`. */
  readonly parallelDownloads?: number;
}

/**
 * Called when requests begin to wait.
 * @param registry its host and port
 * @param milliseconds for how long
 * @param why what it has answered: `429 Too Many Requests`
 */
export type OnWait = (registry: string, milliseconds: number, why: string) => void;

/** How many requests a registry allows, as it has last said (Docker Hub's `ratelimit-…` headers). */
export interface RegistryQuota {
  /** Absent where it was not said. */
  readonly limit?: number;
  readonly remaining?: number;
  /** Milliseconds that the limit is for. */
  readonly window?: number;
  /** When it was said, in milliseconds since the epoch. */
  readonly at: number;
}
