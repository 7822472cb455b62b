/** What a registry says of one repository now: each question is asked once, with the first login that may ask it. */
import {
  candidateManifests,
  completePlatform,
  configLimit,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
  matchOrder,
  type Platform,
  parseImageConfig,
  parseManifest,
  type Repository,
  samePlatform,
  selectManifest,
  type Tag,
} from "../image/index.ts";
import { type Attempted, aggregate, isRefusal, isUnreachable, type PullSource, withLogin } from "../pull/index.ts";
import type { RegistryCall, RegistryClient, TagsCall } from "../registry/index.ts";
import { isPulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { readTag, type TagReading } from "./tags/index.ts";

export interface Upstream {
  readonly repository: Repository;
  /** The mirror that has answered in the place of the registry; undefined where the registry itself has. */
  mirror(): string | undefined;
  /** All tags, in the registry's order. @throws PulleyError any of the registry codes */
  tags(): Promise<readonly string[]>;
  /** The same, read as versions. */
  readings(): Promise<readonly TagReading[]>;
  /** What a tag or a digest stands for, by one HEAD. @throws PulleyError any of the registry codes */
  resolve(version: Tag | Digest): Promise<Descriptor>;
  /** Whether a tag has an image for a platform: costs a GET of its manifest. @throws PulleyError any of the registry codes */
  isFor(tag: Tag, platform: Platform): Promise<boolean>;
  /** Whether an index that a tag stands for lists a digest: who pins the image of one platform is not behind. */
  lists(version: Tag | Digest, digest: Digest): Promise<boolean>;
  /** When an image was built, in milliseconds since the epoch; undefined where its config does not say, or a fixed date. */
  createdAt(version: Tag | Digest, platform: Platform): Promise<number | undefined>;
}

/** A registry, or a mirror of it. */
export interface UpstreamSource extends Pick<PullSource, "address" | "mirror"> {
  /** Those of all who use the repository; none: it is asked without. */
  readonly logins: readonly Login[];
  /** Why its logins could not be found out: then it is not asked. */
  readonly failure?: { readonly error: unknown };
}

export interface UpstreamOptions {
  readonly registry: Pick<RegistryClient, "tags" | "resolve" | "manifest" | "blob">;
  /** Who may be asked, in their order: the next one only where nobody answers. */
  readonly sources: () => Promise<readonly UpstreamSource[]>;
  /** Shared by all repositories of a call. */
  readonly pages?: TagsCall["pages"];
  readonly signal?: AbortSignal | undefined;
}

/** Indexes within indexes that are gone into. */
const deepest = 4;

export function openUpstream(repository: Repository, { registry, sources, pages, signal }: UpstreamOptions): Upstream {
  /** Whom the first answer came from, and with which login. */
  let accepted: Accepted | undefined;
  let known: Promise<readonly UpstreamSource[]> | undefined;
  const lists = onceEach<readonly string[]>();
  // A thousand tags are read for each image of the repository, but once.
  const readings = onceEach<readonly TagReading[]>();
  const descriptors = onceEach<Descriptor>();
  const documents = onceEach<Manifest | Index>();
  const configs = onceEach<ImageConfig>();

  /** Whoever has answered is asked again, with the same login first: who may list may not read everything. */
  async function asking<T>(ask: (call: RegistryCall) => Promise<T>): Promise<T> {
    if (accepted === undefined) return askingFirst(ask);
    const { source, login } = accepted;
    const logins = [login, ...source.logins.filter((other) => other !== login)];
    const { answer, call } = await askOne({ ...source, logins }, ask, { signal, next: mayHaveAnotherLogin });
    accepted = { source, login: call.login };
    return answer;
  }

  /** Those who refuse one login may accept another; where nobody answers, a mirror may. */
  async function askingFirst<T>(ask: (call: RegistryCall) => Promise<T>): Promise<T> {
    known ??= sources();
    const attempts: Attempted[] = [];
    for (const source of await known) {
      try {
        const { answer, call } = await askOne(source, ask, { signal, next: isRefusal });
        accepted = { source, login: call.login };
        return answer;
      } catch (error) {
        const { address, mirror } = source;
        attempts.push({ error, mirror, ...(mirror && { whom: `mirror ${address}` }) });
        if (!isUnreachable(error) && !mirror) break;
      }
    }
    throw aggregate(attempts, "first");
  }

  const tags = () => lists("", () => asking((call) => registry.tags(repository, { ...call, pages })));
  const resolve = (version: Tag | Digest) =>
    descriptors(version, () => asking((call) => registry.resolve({ repository, version }, call)));
  const document = (digest: Digest): Promise<Manifest | Index> =>
    documents(digest, async () => {
      const { bytes, descriptor } = await asking((call) => registry.manifest({ repository, version: digest }, call));
      return parseManifest(bytes, descriptor.mediaType);
    });
  const config = ({ config: descriptor }: Manifest): Promise<ImageConfig> =>
    configs(descriptor.digest, async () =>
      parseImageConfig(await asking((call) => registry.blob(repository, descriptor, configLimit, call))),
    );

  async function isFor(digest: Digest, platform: Platform, depth = 0): Promise<boolean> {
    const found = await document(digest);
    if (found.kind === "manifest") {
      const own = completePlatform((await config(found)).platform, platform);
      return matchOrder(platform).some((wanted) => samePlatform(wanted, own));
    }
    for (const entry of candidateManifests(found, platform)) {
      // Of an entry that does not say what it is for, its own content tells.
      if (entry.platform !== undefined) return true;
      if (depth < deepest && (await isFor(entry.digest, platform, depth + 1))) return true;
    }
    return false;
  }

  async function createdAt(digest: Digest, platform: Platform, depth = 0): Promise<number | undefined> {
    const found = await document(digest);
    if (found.kind === "manifest") return (await config(found)).createdAt;
    return depth < deepest ? createdAt(selectManifest(found, platform).digest, platform, depth + 1) : undefined;
  }

  return {
    repository,
    mirror: () => (accepted?.source.mirror ? accepted.source.address : undefined),
    tags,
    readings: () => readings("", async () => (await tags()).map(readTag)),
    resolve,
    isFor: async (tag, platform) => isFor((await resolve(tag)).digest, platform),
    lists: async (version, digest) => {
      const found = await document((await resolve(version)).digest);
      return found.kind === "index" && found.manifests.some((entry) => entry.digest === digest);
    },
    createdAt: async (version, platform) => {
      const at = await createdAt((await resolve(version)).digest, platform);
      return at === undefined || at < firstContainer ? undefined : at;
    },
  };
}

/** Who has answered, and with which login. */
interface Accepted {
  readonly source: UpstreamSource;
  readonly login: Login | undefined;
}

/** Another login sees what this one may not; what is not there for one that may look is not there. */
function mayHaveAnotherLogin(error: unknown): boolean {
  return isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN");
}

interface AskCall {
  readonly signal: AbortSignal | undefined;
  /** After which failures the next login is tried. */
  readonly next: (error: unknown) => boolean;
}

/** Asks one source with each of its logins, until one is accepted. */
async function askOne<T>(
  { address, mirror: isMirror, logins, failure }: AskedSource,
  ask: (call: RegistryCall) => Promise<T>,
  { signal, next }: AskCall,
): Promise<{ readonly answer: T; readonly call: RegistryCall }> {
  if (failure !== undefined) throw failure.error;
  const attempts: Attempted[] = [];
  for (const login of logins.length === 0 ? [undefined] : logins) {
    const call = { login, mirror: isMirror ? address : undefined, signal };
    try {
      return { answer: await ask(call), call };
    } catch (error) {
      attempts.push({ error: withLogin(error, login) });
      if (!next(error)) break;
    }
  }
  throw aggregate(attempts, "first");
}

interface AskedSource extends Omit<UpstreamSource, "logins"> {
  readonly logins: readonly (Login | undefined)[];
}

/** Asks each question once; a failure is an answer, too. */
function onceEach<Answer>(): (key: string, ask: () => Promise<Answer>) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (key, ask) => {
    const answer = answers.get(key) ?? ask();
    answers.set(key, answer);
    return answer;
  };
}

/** Milliseconds since the epoch, 2013: builds that are to be reproducible give an earlier date (1970, 1980), the same one always. */
const firstContainer = Date.UTC(2013, 0, 1);
