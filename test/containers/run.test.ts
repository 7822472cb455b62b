import { chmod } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { containerdTools, describeWith } from "../tools.ts";
import { forever, type Ground, leftovers, list, logLines, pod, prepareGround, shell } from "./ground.ts";

describeWith([...containerdTools, "docker-registry", "skopeo"], "pulley run on a containerd", () => {
  let ground: Ground;
  let image: string;
  beforeAll(async () => {
    ground = await prepareGround("host");
    await ground.push("team/app:1");
    image = `${ground.registry.host}/team/app:1`;
  });
  afterAll(() => ground.stop());

  it("starts a pod, shows that it runs, and leaves nothing behind", async () => {
    const root = await ground.root();
    const run = await ground.start(
      root,
      pod("web", { containers: [shell(image, `echo hello; ${forever}`)] }),
      "--once",
    );
    const { status, value } = await run.ended();
    expect(value.pods).toMatchObject([
      { phase: "Running", containers: [{ state: { kind: "running" }, ready: true, restartCount: 0 }] },
    ]);
    expect(status).toBe(0);
    expect(value.events.map(({ reason }) => reason)).toEqual(["Pulling", "Pulled", "Created", "Started", "Killing"]);
    expect(run.said()).toContain("Stopping container main");
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("goes to the registry as the pull policy says, and not oftener", async () => {
    const root = await ground.root();
    const asks = async (policy: string) => {
      const before = (await ground.registry.requests()).length;
      const containers = [shell(image, forever, { imagePullPolicy: policy })];
      const run = await ground.start(root, pod("policy", { containers }), "--once");
      const { value } = await run.ended();
      expect(value.pods[0]?.phase).toBe("Running");
      return (await ground.registry.requests()).slice(before).map((request) => request.replace(/sha256:\w+/, "DIGEST"));
    };
    expect(await asks("IfNotPresent")).toEqual([]);
    expect(await asks("Never")).toEqual([]);
    // Here it is already: one question whether the name still stands for it.
    expect(await asks("Always")).toEqual(["HEAD /v2/team/app/manifests/1 200"]);
  });

  it("asks nobody where an image must not be pulled, and says so", async () => {
    const root = await ground.root();
    await ground.push("team/never:1", "never");
    const before = (await ground.registry.requests()).length;
    const containers = [shell(`${ground.registry.host}/team/never:1`, forever, { imagePullPolicy: "Never" })];
    const { status, value } = await (await ground.start(root, pod("never", { containers }), "--once")).ended();
    expect(status).toBe(1);
    expect(value.pods[0]).toMatchObject({
      phase: "Pending",
      containers: [{ state: { kind: "waiting", reason: "ErrImageNeverPull" } }],
    });
    expect((await ground.registry.requests()).length).toBe(before);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("waits in ImagePullBackOff for an image that is not there", async () => {
    const root = await ground.root();
    const containers = [shell(`${ground.registry.host}/team/absent:1`, forever)];
    const { status, value } = await (await ground.start(root, pod("absent", { containers }), "--once")).ended();
    expect(status).toBe(1);
    expect(value.pods[0]?.containers[0]?.state).toMatchObject({ kind: "waiting", reason: "ImagePullBackOff" });
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("runs init containers one after another, sidecars beside, and ends with what the containers end with", async () => {
    const root = await ground.root();
    const mount = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] };
    const note = (text: string) => `echo ${text} >> /shared/order`;
    const step = (name: string, line: string, more: object = {}) => ({
      ...shell(image, line, { ...mount, ...more }),
      name,
    });
    const pods = [
      pod("steps", {
        restartPolicy: "Never",
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          step("first", `sleep 0.3; ${note("first")}`),
          step("beside", `${note("beside")}; ${forever}`, { restartPolicy: "Always" }),
          step("second", note("second")),
        ],
        containers: [step("main", `${note("main")}; cat /shared/order; exit 3`)],
      }),
      pod("job", { restartPolicy: "OnFailure", containers: [shell(image, "echo done > /dev/termination-log")] }),
      pod("init", {
        restartPolicy: "Never",
        initContainers: [step("broken", "exit 7", { volumeMounts: [] })],
        containers: [shell(image, "true")],
      }),
    ];
    const run = await ground.start(root, list(...pods), "--once", "--keep");
    const { status, value } = await run.ended();
    const [steps, job, init] = value.pods;
    expect(status).toBe(1);
    expect(steps?.phase).toBe("Failed");
    expect(steps?.containers.map(({ name, state }) => [name, state.kind, state.exitCode])).toEqual([
      ["first", "terminated", 0],
      ["beside", "terminated", 0],
      ["second", "terminated", 0],
      ["main", "terminated", 3],
    ]);
    expect(await logLines(steps?.containers.at(-1)?.logPath)).toEqual(["first", "beside", "second", "main"]);
    expect(job).toMatchObject({
      phase: "Succeeded",
      containers: [{ state: { kind: "terminated", exitCode: 0, reason: "Completed", message: "done\n" } }],
    });
    expect(init).toMatchObject({
      phase: "Failed",
      containers: [
        { state: { kind: "terminated", exitCode: 7, reason: "Error" } },
        { state: { kind: "waiting", reason: "PodInitializing" } },
      ],
    });
    const again = await ground.start(root, list(...pods), "--once");
    const found = (await again.ended()).value;
    expect(found.pods.map(({ phase }) => phase)).toEqual(["Failed", "Succeeded", "Failed"]);
    expect(found.events.map(({ reason }) => reason)).toEqual([]);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("starts a container that crashes again, and then holds it back", async () => {
    const root = await ground.root();
    const containers = [shell(image, "echo attempt; exit 5")];
    const { status, value } = await (await ground.start(root, pod("crash", { containers }), "--once")).ended();
    expect(status).toBe(1);
    expect(value.pods[0]).toMatchObject({
      phase: "Running",
      containers: [
        {
          state: { kind: "waiting", reason: "CrashLoopBackOff" },
          lastState: { exitCode: 5, reason: "Error" },
          restartCount: 1,
          ready: false,
        },
      ],
    });
    const uid = value.pods[0]?.uid;
    expect(value.pods[0]?.containers[0]?.state.message).toBe(
      `back-off 10s restarting failed container=main pod=crash_default(${uid})`,
    );
    expect(value.events.filter(({ reason }) => reason === "BackOff")).toMatchObject([
      { message: `Back-off restarting failed container main in pod crash_default(${uid})` },
    ]);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("gives containers what the pod says: command, environment, volumes, user", async () => {
    const root = await ground.root();
    await chmod(root, 0o755);
    const objects = [
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "settings" },
        data: { colour: "green", "app.conf": "a=1\n" },
      }),
      JSON.stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "token" },
        stringData: { token: "s3cret" },
      }),
    ];
    const spec = {
      restartPolicy: "Never",
      securityContext: { runAsUser: 65534, runAsNonRoot: true, fsGroup: 1234 },
      volumes: [
        {
          name: "settings",
          configMap: { name: "settings", items: [{ key: "app.conf", path: "etc/app.conf", mode: 0o440 }] },
        },
        { name: "token", secret: { secretName: "token", defaultMode: 0o400 } },
        { name: "pod", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
        { name: "scratch", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "host", hostPath: { path: root, type: "Directory" } },
      ],
      containers: [
        {
          name: "main",
          image,
          command: ["/bin/sh", "-c"],
          args: [
            [
              'echo "$GREETING $colour $TOKEN $NAME $LIMIT"',
              "cat /settings/etc/app.conf; cat /token/token; echo; cat /pod/labels; echo",
              "id -u; id -G; pwd",
              "echo kept > /scratch/deep/file; echo x > /memory/file && echo written",
              "(echo x > /settings/new) 2>/dev/null || echo read-only",
              "touch /root-file 2>/dev/null || echo no-root-file",
              "ls /host/pods.yaml",
            ].join("; "),
          ],
          workingDir: "/scratch",
          envFrom: [{ configMapRef: { name: "settings" } }],
          env: [
            { name: "WHO", value: "you" },
            { name: "GREETING", value: "hello $(WHO) $$(WHO) $(NOBODY)" },
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "token", key: "token" } } },
            { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
          ],
          resources: { limits: { memory: "64Mi", cpu: "500m" } },
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [
            { name: "settings", mountPath: "/settings" },
            { name: "token", mountPath: "/token" },
            { name: "pod", mountPath: "/pod" },
            { name: "scratch", mountPath: "/scratch" },
            { name: "scratch", mountPath: "/scratch/deep", subPath: "a/b" },
            { name: "memory", mountPath: "/memory" },
            { name: "host", mountPath: "/host", readOnly: true },
          ],
        },
      ],
    };
    const run = await ground.start(root, list(...objects, pod("given", spec)), "--once", "--keep");
    const { value } = await run.ended();
    const [container] = value.pods[0]?.containers ?? [];
    expect(container?.state).toMatchObject({ kind: "terminated", exitCode: 0 });
    expect(await logLines(container?.logPath)).toEqual([
      "hello you $(WHO) $(NOBODY) green s3cret given 64",
      "a=1",
      "s3cret",
      'app="given"',
      "65534",
      "65534 1234",
      "/scratch",
      "written",
      "read-only",
      "no-root-file",
      "/host/pods.yaml",
    ]);
    expect(run.said()).not.toContain("s3cret");
    await (await ground.start(root, list(...objects, pod("given", spec)), "--once")).ended();
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("says which object a container lacks, and starts the others", async () => {
    const root = await ground.root();
    const env = [{ name: "A", valueFrom: { configMapKeyRef: { name: "absent", key: "a" } } }];
    const containers = [
      { ...shell(image, forever), env },
      { ...shell(image, forever), name: "other" },
    ];
    const { status, value } = await (await ground.start(root, pod("lacks", { containers }), "--once")).ended();
    expect(status).toBe(1);
    expect(value.pods[0]?.containers).toMatchObject([
      { state: { kind: "waiting", reason: "CreateContainerConfigError", message: 'configmap "absent" not found' } },
      { state: { kind: "running" } },
    ]);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("says what a runtime lacks that cannot mount images", async () => {
    const root = await ground.root();
    const mount = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const spec = {
      volumes: [{ name: "data", image: { reference: image } }],
      containers: [shell(image, forever, mount)],
    };
    const { status, value } = await (await ground.start(root, pod("mounts", spec), "--once")).ended();
    expect(status).toBe(1);
    expect(value.pods[0]?.containers[0]?.state).toMatchObject({
      kind: "waiting",
      reason: "CreateContainerError",
      message: expect.stringMatching(/^the runtime cannot mount images, as containerd does from 2\.1 on: .*mkdir/),
    });
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("finds its containers again after it was killed, and starts none twice", async () => {
    const root = await ground.root();
    const manifest = pod("lasting", { containers: [shell(image, forever)] });
    const first = await ground.start(root, manifest);
    await first.until("Container started");
    const second = await ground.start(root, manifest);
    await expect(second.ended()).rejects.toThrow(/is run by process \d+ already/);
    first.child.kill("SIGKILL");
    await expect(first.ended()).rejects.toThrow();
    expect(await leftovers(ground, root)).not.toEqual([]);
    const { value } = await (await ground.start(root, manifest, "--once")).ended();
    expect(value.pods[0]?.containers).toMatchObject([{ state: { kind: "running" }, restartCount: 0 }]);
    expect(value.events.map(({ reason }) => reason)).toEqual(["Killing"]);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("ends what an earlier version of a pod left running, and stops its own on Ctrl-C", async () => {
    const root = await ground.root();
    const before = pod("changed", { containers: [shell(image, `echo old; ${forever}`)] });
    await (await ground.start(root, before, "--once", "--keep")).ended();
    const run = await ground.start(root, pod("changed", { containers: [shell(image, `echo new; ${forever}`)] }));
    await run.until("Container started");
    expect(run.said()).toContain("removing the containers of an earlier version of the pod default/changed");
    expect((await ground.containerd.ctr(["containers", "ls", "--quiet"])).trim().split("\n")).toHaveLength(2);
    run.interrupt();
    expect((await run.ended()).value.pods).toMatchObject([{ phase: "Running" }]);
    expect(await leftovers(ground, root)).toEqual([]);
  });

  it("goes on when containerd is started anew, and starts nothing again that still runs", async () => {
    const root = await ground.root();
    const run = await ground.start(root, pod("steady", { containers: [shell(image, forever)] }));
    await run.until("Container started");
    await ground.containerd.kill("SIGKILL");
    await run.until("Error syncing pod").catch(() => undefined);
    await ground.containerd.restart();
    run.interrupt();
    const { value } = await run.ended();
    expect(value.pods[0]?.containers).toMatchObject([{ restartCount: 0 }]);
    expect(await leftovers(ground, root)).toEqual([]);
  });
});

describeWith([...containerdTools, "docker-registry", "skopeo"], "pods with a network of their own", () => {
  let ground: Ground;
  let image: string;
  beforeAll(async () => {
    ground = await prepareGround("pods");
    await ground.push("team/app:1");
    image = `${ground.registry.host}/team/app:1`;
  });
  afterAll(() => ground.stop());

  it("know their address, name and resolver, and answer there", async () => {
    const root = await ground.root();
    const dnsConfig = {
      nameservers: ["192.0.2.53"],
      searches: ["acme.test"],
      options: [{ name: "ndots", value: "2" }],
    };
    const say = "busybox hostname; cat /etc/resolv.conf";
    const serve = 'mkdir /tmp/www; echo "$ADDRESS" > /tmp/www/index.html; busybox httpd -f -p 8080 -h /tmp/www';
    const env = [{ name: "ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }];
    const containers = [{ ...shell(image, `${say}; ${serve}`), env }];
    const manifest = pod("server", {
      hostNetwork: false,
      hostname: "serves",
      dnsPolicy: "None",
      dnsConfig,
      containers,
    });
    const { value } = await (await ground.start(root, manifest, "--once", "--keep")).ended();
    const [server] = value.pods;
    expect(server).toMatchObject({ phase: "Running", podIP: expect.stringMatching(/^10\.213\.\d+\.\d+$/) });
    expect(await (await fetch(`http://${server?.podIP}:8080/`)).text()).toBe(`${server?.podIP}\n`);
    expect(await logLines(server?.containers[0]?.logPath)).toEqual([
      "serves",
      "search acme.test",
      "nameserver 192.0.2.53",
      "options ndots:2",
    ]);
    await (await ground.start(root, manifest, "--once")).ended();
    expect(await leftovers(ground, root)).toEqual([]);
  });
});
