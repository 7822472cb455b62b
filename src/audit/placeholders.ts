/** Placeholders: words in the place of an image, which a program or a person replaces later. */
import { matchesStars } from "../support/wildcards.ts";
import type { Subject } from "./subject.ts";

interface Placeholder {
  readonly pattern: RegExp;
  /** Half a sentence: who replaces it. */
  readonly who: string;
}

const somebody = "it is replaced before the manifest is used";

/** Words in capitals that mark a name as a placeholder. */
const capitals =
  "(?:IMAGE|IMG|TAG|VERSION|DIGEST|REGISTRY|REPO|REPOSITORY|PROJECT|NAME|NAMESPACE|ORG|USER|USERNAME|ACCOUNT|HOST|REGION|BUILD|SHA|COMMIT|PLACEHOLDER|CHANGE|CHANGEME|REPLACE|REPLACEME|REPLACED|TODO|FIXME|YOUR|MY|XXX+)";

/** The first match wins. Names in lower case are placeholders only where they cannot be meant as an image. */
const placeholders: readonly Placeholder[] = [
  { pattern: /^auto$/, who: "Istio replaces it with the image of its proxy when the pod is created" },
  { pattern: /^ko:\/\//, who: "ko builds the image and replaces it" },
  { pattern: /^(?:bazel:)?\/\//, who: "Bazel builds the image and replaces it" },
  { pattern: /^[ \t]+$/, who: "OpenShift replaces it when an image trigger fires" },
  // ${IMAGE}, $(params.image), $IMAGE, and {IMAGE}; a template's double braces have a rule of their own
  { pattern: /\$\{|\$\(|\$[A-Za-z_]/, who: "the variable is replaced before the manifest is used" },
  { pattern: /\{[^{}]*\}/, who: somebody },
  // <image>, [image], %IMAGE%, @IMAGE@, __IMAGE__, #{IMAGE}#
  { pattern: /<[^<>]*>|\[[A-Za-z][\w .-]*\]|%[A-Za-z_]\w*%|@[A-Z][A-Z0-9_]*@|__[A-Za-z]\w*__|#\{/, who: somebody },
  // IMAGE_URL, gcr.io/PROJECT_ID/app, app:VERSION; two words with _ between them are not a typing error
  { pattern: new RegExp(`(?:^|[/:@])(?:[A-Z0-9]+[_-])*${capitals}(?:[_-][A-Z0-9]+)*(?=$|[/:@])`), who: somebody },
  { pattern: /(?:^|\/)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=$|[/:@])/, who: somebody },
  {
    pattern:
      /^(?:placeholder|changeme|change-me|replaceme|replace-me|replace-with-image|to-be-replaced|image-name|image-url|image|your-image|your-image-here|todo|tbd)(?::(?:tag|version|latest|placeholder|changeme|replaceme|todo))?$/i,
    who: somebody,
  },
  {
    pattern: /(?:^|\/)(?:your|my)-(?:[a-z]+-)*(?:registry|repo|repository|org|project|username|account)(?=$|[/:.])/,
    who: somebody,
  },
];

/** Says who replaces the image; `undefined` where it is no placeholder. */
export type PlaceholderTest = (image: string) => string | undefined;

/** @param more patterns of the user: `*` for any characters, letters as they are */
export function placeholderTest(more: readonly string[] = []): PlaceholderTest {
  return (image) => {
    const text = image.slice(0, longest);
    const isOwn = more.some((pattern) => matchesStars(pattern, text));
    return isOwn ? "it matches --placeholder" : placeholders.find(({ pattern }) => pattern.test(text))?.who;
  };
}

/** Characters of an image that are searched: real images are shorter. */
const longest = 1000;

/**
 * The container as far as it is known: where its image is a placeholder, nothing is known of the image, and nothing
 * can be fixed.
 * @param replaced names without a tag that a kustomization or Skaffold replaces
 */
export function withoutPlaceholder(subject: Subject, test: PlaceholderTest, replaced: ReplacedImages = {}): Subject {
  if (subject.unresolved !== undefined) return subject;
  const placeholder = test(subject.request.image.given) ?? whoReplaces(subject, replaced);
  if (placeholder === undefined) return subject;
  return {
    ...subject,
    fields: { policy: subject.fields.policy },
    reference: undefined,
    problem: undefined,
    unresolved: "placeholder",
    placeholder,
    // The default depends on the final image.
    pulls: subject.pulls?.from === "default" ? undefined : subject.pulls,
  };
}

/** The file that replaces each image, by the image's name: `kustomization.yaml`. */
export type ReplacedImages = Readonly<Record<string, string>>;

function whoReplaces({ reference }: Subject, replaced: ReplacedImages): string | undefined {
  if (reference === undefined || reference.digest !== undefined) return undefined;
  const { given, tag } = reference;
  if (tag !== undefined && tag !== "latest") return undefined;
  const name = tag === undefined ? given : given.slice(0, -tag.length - 1);
  return Object.hasOwn(replaced, name) ? `${replaced[name]} replaces it` : undefined;
}
