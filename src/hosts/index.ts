/** containerd's `hosts.toml`: read, checked, imported from elsewhere, set up. */
export { defaultFolder, splitRoots } from "./folders.ts";
export { type HostSettings, headerProblem, isSameHost, type OwnCertificate, plainSettings } from "./host-settings.ts";
export { certificatesIn, type HostsDirectory, openHostsDirectory, type RegistryHost } from "./hosts-directory.ts";
export { convert, type ImportedRule } from "./import/convert.ts";
export { readRegistriesConf } from "./import/registries-conf.ts";
export { hostsToml } from "./import/write.ts";
export type { HostsFinding, HostsSeverity } from "./lint/finding.ts";
export { registryOf } from "./lint/folders.ts";
export { checkHosts, type HostsReport } from "./lint/index.ts";
export { configPathLines, readContainerdConfig } from "./setup/containerd-config.ts";
export { carryOut, hidingFolders, planSetup, planUndo, type SetupChange } from "./setup/plan.ts";
export { readToml } from "./toml.ts";
