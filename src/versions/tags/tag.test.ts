import { describe, expect, it } from "vitest";
import { readTag } from "./tag.ts";

/** Tag, family, numbers of the release, channel with its numbers, builds. */
const versions = `
1.27                                  #.#                            1.27
v1.27.3                               v#.#.#                         1.27.3
2                                     #                              2
10.0.20348.2227                       #.#.#.#                        10.0.20348.2227
1.25.3-alpine3.18                     #.#.#-alpine3.18               1.25.3
3.12-slim-bookworm                    #.#-slim-bookworm              3.12
3.9-eclipse-temurin-17                #.#-eclipse-temurin-17         3.9
12.3.1-base-ubuntu22.04               #.#.#-base-ubuntu22.04         12.3.1
v2.10.6-windowsservercore-1809        v#.#.#-windowsservercore-1809  2.10.6
16.2.0-debian-12-r5                   #.#.#-debian-12-r#             16.2.0           -           5
21.0.1_12-jdk-alpine                  #.#.#_#-jdk-alpine             21.0.1           -           12
8u392-b08-jdk                         #u#-b#-jdk                     8.392            -           8
8u392b08                              #u#b#                          8.392            -           8
3.5.10-0                              #.#.#-#                        3.5.10           -           0
8.9-1108.1705420507                   #.#-#.#                        8.9              -           1108.1705420507
1.2.3-20240101                        #.#.#-YYYYMMDD                 1.2.3            -           20240101
2019-CU18-ubuntu-20.04                YYYY-cu#-ubuntu-20.04          2019             -           18
16.8.1-ce.0                           #.#.#-ce.#                     16.8.1           -           0
9.6_p1-r0-ls150                       #.#_p#-r#-ls#                  9.6              -           1.0.150
9.6p1                                 #.#p#                          9.6              -           1
v1.29.1-k3s1                          v#.#.#-k3s#                    1.29.1           -           1
v1.29.1-rke2r1                        v#.#.#-rke2r#                  1.29.1           -           1
1.29.0-eksbuild.1                     #.#.#-eksbuild.#               1.29.0           -           1
1.0-2.0.0.53                          #.#-#.#.#.#                    1.0              -           2.0.0.53
v1.2.3-a123456                        v#.#.#-<commit>                1.2.3
7.2.0-v8                              #.#.#-v#                       7.2.0            -           8
2021.2-u0                             YYYY.#-u#                      2021.2           -           0
v1.28.5-eks-1-28-11                   v#.#.#-eks-#-#-#               1.28.5           -           1.28.11
14-22.04_beta                         #-22.04_beta                   14               beta
alpine-v16.8.0                        alpine-v#.#.#                  16.8.0
x86_64-v16.8.0                        x86_64-v#.#.#                  16.8.0
temurin-17-tools-deps-1.11.1.1413-jammy  temurin-17-tools-deps-#.#.#.#-jammy  1.11.1.1413
openjdk-8u212-jdk                     openjdk-#u#-jdk                8.212
jdk-17.0.9_9                          jdk-#.#.#_#                    17.0.9           -           9
windows-2022-3.1.8                    windows-2022-#.#.#             3.1.8
9.2-minimal-20230512                  #.#-minimal-YYYYMMDD           9.2              -           20230512
v20240310-bac0a3c105-1.29             vYYYYMMDD-<commit>-1.29        2024.3.10
v20260810-7619858115-1.34             vYYYYMMDD-<commit>-1.34        2026.8.10
40.0.0-next.7                         #.#.#-next.#                   40.0.0           next.7
1.30.0-rc.1                           #.#.#-rc.#                     1.30.0           rc.1
16.9.0-rc42.ce.0                      #.#.#-rc#.ce.#                 16.9.0           rc.42       0
3.13.0b1                              #.#.#b#                        3.13.0           beta.1
3.13.0a4                              #.#.#a#                        3.13.0           alpha.4
3.13.0rc1-slim-bookworm               #.#.#rc#-slim-bookworm         3.13.0           rc.1
3.13-rc-slim                          #.#-rc-slim                    3.13             rc
17beta1                               #beta#                         17               beta.1
8.3.0RC4-fpm-alpine3.18               #.#.#RC#-fpm-alpine3.18        8.3.0            rc.4
2.9-dev10-alpine                      #.#-dev#-alpine                2.9              dev.10
17-ea-17-jdk-slim                     #-ea-#-jdk-slim                17               ea.17
1.0-M1                                #.#-M#                         1.0              milestone.1
1.2.3-SNAPSHOT                        #.#.#-SNAPSHOT                 1.2.3            snapshot
2024.10.1                             YYYY.#.#                       2024.10.1
22.04                                 #.#                            22.4
20240601                              YYYYMMDD                       2024.6.1
jammy-20231004                        jammy-YYYYMMDD                 2023.10.4
v20231011-8b53cabe0                   vYYYYMMDD-<commit>             2023.10.11
RELEASE.2024-06-13T22-53-53Z          RELEASE.YYYY-MM-DDThh-mm-ssZ   2024.6.13.22.53.53
RELEASE.2024-06-13T22-53-53Z-cpuv1    RELEASE.YYYY-MM-DDThh-mm-ssZ-cpuv1 2024.6.13.22.53.53
v20241399                             v<build>                       20241399
build-1705420507                      build-<build>                  1705420507
54321                                 <build>                        54321
main-abc1234-1705420507               main-<commit>-<build>          1705420507
v1.2.3-14-gabcdef0                    v#.#.#-#-<commit>              1.2.3            -           14
debian-12-1.2.3                       debian-12-#.#.#                1.2.3
php8.2-1.2.3                          php8.2-#.#.#                   1.2.3
controller-v1.9.4                     controller-v#.#.#              1.9.4
k8s-1.29.0                            k8s-#.#.#                      1.29.0
b4567                                 b#                             4567
1.1.1k                                #.#.#k                         1.1.1
3.5.0.Final                           #.#.#.Final                    3.5.0
4.0.0.CR1                             #.#.#.CR#                      4.0.0            cr.1
1.x                                   #.x                            1
`;

const others = {
  words: [
    "latest",
    "stable",
    "lts-alpine3.19",
    "alpine3.18",
    "fpm-alpine3.18",
    "jdk17",
    "3scale",
    "debian-12",
    "windowsservercore-ltsc2022",
    "pr-123",
    "",
    "-",
    "...",
  ],
  hash: [
    "abc1234f",
    "608111629",
    "20241399",
    "8b53cabe0",
    "main-abc1234",
    "sha-1234567",
    "1234567890123456789012345678901234567890",
  ],
  artifact: [`sha256-${"a1".repeat(32)}.sig`, `sha256-${"a1".repeat(32)}.att`, `sha256-${"a1".repeat(32)}`],
} as const;

describe("a tag with a version", () => {
  it.each(
    versions
      .trim()
      .split("\n")
      .map((line) => line.split(/ +/)),
  )("%s", (tag, family, numbers, channel = "-", counters = "") => {
    const read = readTag(tag ?? "");
    expect(read.kind).toBe("version");
    if (read.kind !== "version") return;
    expect(read.family).toBe(family);
    expect(read.numbers.join(".")).toBe(numbers);
    expect([read.channel ?? "-", ...read.preRelease].join(".")).toBe(channel);
    expect(read.counters.join(".")).toBe(counters);
  });
});

describe.each(Object.entries(others))("a tag of the kind %s", (kind, tags) => {
  it.each(tags)("%s", (tag) => {
    expect(readTag(tag)).toEqual({ kind, tag });
  });
});
