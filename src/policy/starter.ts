/** The policy to begin with, as `pulley policy init` writes it. */
export function policyInit(): string {
  return starter;
}

const starter = `# A policy to begin with. It refuses nothing: it makes moving tags fresh and survives a registry that is down.
# See what it would change:  pulley explain --policy policy.yaml FILE
apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata:
  name: starter
spec:
  # Rules are read from top to bottom. On each subject (admit, pull, when, from, require) the first rule that
  # matches decides. Where none speaks, Kubernetes' own behaviour holds.
  rules:
    # A digest names one image for ever: there is nothing to ask for.
    - name: pinned
      match:
        pinned: true
      pull:
        policy: IfNotPresent

    # These tags move. Ask the registry for their digest, but not at every restart of a pod;
    # and if no registry answers, start from the copy on the node rather than not at all.
    - name: moving-tags
      match:
        tags: ["latest", "main", "master", "edge", "nightly", "*-snapshot"]
      pull:
        policy: Always
        checkEvery: 10m
        whenUnreachable: UseCached
        maxStaleness: 7d

    # The next step, when you are ready: say where images may come from.
    # - name: our-registries
    #   match:
    #     images: ["registry.example.com/**", "docker.io/library/*"]
    #   admit: Allow
    # - name: nothing-else
    #   admit: Deny
    #   message: Images come from registry.example.com or the Docker official images.

  # Which newer versions pulley outdated offers. For each key, the first entry that matches decides.
  # versions:
  #   - match:
  #       images: ["docker.io/library/postgres"]
  #     allow: minor
`;
