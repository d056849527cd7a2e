import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as keda from "@kubernetes-models/keda/keda.sh/v1alpha1";
import * as serving from "@kubernetes-models/knative/serving.knative.dev/v1";
import * as apps from "kubernetes-models/apps/v1";
import * as batch from "kubernetes-models/batch/v1";
import * as networking from "kubernetes-models/networking.k8s.io/v1";
import * as policy from "kubernetes-models/policy/v1";
import * as core from "kubernetes-models/v1";
import { describe, expect, it } from "vitest";
import { ENVIRONMENT } from "../../src/environment.ts";
import { ABORT_MS, GRACE_MS } from "../../src/jobs/queue.ts";
import { VERSION } from "../../src/version.ts";
import { bodyOf, containers, kustomization, type Manifest, manifests, pods } from "./manifests.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** The package of the models of an apiVersion, and the models themselves. */
const MODELS: Readonly<Record<string, readonly [path: string, models: object]>> = {
  v1: ["kubernetes-models/v1", core],
  "apps/v1": ["kubernetes-models/apps/v1", apps],
  "batch/v1": ["kubernetes-models/batch/v1", batch],
  "networking.k8s.io/v1": ["kubernetes-models/networking.k8s.io/v1", networking],
  "policy/v1": ["kubernetes-models/policy/v1", policy],
  "keda.sh/v1alpha1": ["@kubernetes-models/keda/keda.sh/v1alpha1", keda],
  "serving.knative.dev/v1": ["@kubernetes-models/knative/serving.knative.dev/v1", serving],
};

const named = manifests.map((manifest) => [`${manifest.file} ${manifest.kind} ${manifest.metadata.name}`, manifest]);
const all = (kind: string, among: readonly Manifest[] = manifests) =>
  among.filter((manifest) => manifest.kind === kind);
const one = (kind: string, name: string) => all(kind).find(({ metadata }) => metadata.name === name);
const MEASURED = pods.filter(({ annotations }) => annotations["prometheus.io/scrape"] === "true");

describe("every document", () => {
  it.each(named as [string, Manifest][])("%s is of a known kind and valid", (_, manifest) => {
    const [, models] = MODELS[manifest.apiVersion]!;
    const Model = (models as Record<string, new (body: object) => { validate(): void }>)[manifest.kind]!;
    new Model(bodyOf(manifest)).validate();
  });

  /** The models' validation passes over a field that nobody knows; their types do not. */
  it("has no field that Kubernetes, KEDA or Knative do not know", async () => {
    const folder = await mkdtemp(join(tmpdir(), "collapsar-manifests-"));
    const check = async (documents: readonly Manifest[]) => {
      const lines = documents.map((manifest) => {
        const type = `import("${MODELS[manifest.apiVersion]![0]}").I${manifest.kind}`;
        return `(${JSON.stringify(bodyOf(manifest))}) satisfies ${type};`;
      });
      await writeFile(join(folder, "manifests.ts"), lines.join("\n"));
      const options = "--noEmit --ignoreConfig --skipLibCheck --strict --module nodenext --types node manifests.ts";
      const { stdout } = await run(join(ROOT, "node_modules/.bin/tsc"), options.split(" "), { cwd: folder }).catch(
        (error) => error as { stdout: string },
      );
      return stdout;
    };
    try {
      await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
      expect(await check(manifests)).toBe("");
      const misspelt = JSON.parse(JSON.stringify(manifests).replaceAll("readOnlyRoot", "readonlyRoot"));
      expect(await check(misspelt)).toMatch(/'readonlyRootFilesystem' does not exist|readonlyRootFilesystem/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is applied, or is an alternative to one that is", () => {
    const alternatives = ["api-knative.yaml", "secret.example.yaml", "worker-cpu.yaml"];
    const files = new Set([...kustomization.resources, ...alternatives]);
    expect([...files].sort()).toEqual([...new Set(manifests.map(({ file }) => file))].sort());
    expect(kustomization.namespace).toBe(all("Namespace")[0]!.metadata.name);
  });
});

describe("what documents say of each other", () => {
  it("holds for secrets, configuration and accounts", () => {
    const declared = all("Secret").flatMap(({ metadata, stringData }) =>
      Object.keys(stringData).map((key) => `${metadata.name} ${key}`),
    );
    const ofContainers = containers.flatMap(([, { env = [] }, { spec }]) => [
      ...env.map(({ valueFrom }) => `${valueFrom!.secretKeyRef!.name} ${valueFrom!.secretKeyRef!.key}`),
      ...(spec.volumes ?? []).flatMap(
        ({ secret }) => secret?.items?.map(({ key }) => `${secret.secretName} ${key}`) ?? [],
      ),
    ]);
    const ofKeda = all("TriggerAuthentication").flatMap(({ spec }) =>
      spec.secretTargetRef.map(({ name, key }: { name: string; key: string }) => `${name} ${key}`),
    );
    expect([...new Set([...ofContainers, ...ofKeda])].sort()).toEqual(declared.sort());
    for (const [of, { envFrom = [] }, { spec }] of containers) {
      for (const { configMapRef } of envFrom) expect(one("ConfigMap", configMapRef!.name!)).toBeDefined();
      expect([of, one("ServiceAccount", spec.serviceAccountName!)]).not.toEqual([of, undefined]);
    }
  });

  it("holds for labels: each selector finds a pod, each pod is found by its own", () => {
    const matches = (selector: Record<string, string>, labels: Record<string, string>) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value);
    const deployments = all("Deployment").map(({ spec }) => [spec.selector.matchLabels, spec.template.metadata.labels]);
    for (const [selector, labels] of deployments) expect(matches(selector, labels)).toBe(true);
    const selectors = [
      ...all("Service").flatMap(({ spec }) => spec.selector ?? []),
      ...[...all("PodDisruptionBudget"), ...all("NetworkPolicy")].map(
        ({ spec }) => (spec.selector ?? spec.podSelector).matchLabels ?? {},
      ),
    ];
    expect(selectors.length).toBeGreaterThan(5);
    for (const selector of selectors) {
      const found = pods.filter(({ labels }) => matches(selector, labels));
      expect([selector, found.length]).not.toEqual([selector, 0]);
    }
  });

  it("holds for ports and volumes", () => {
    const ports = (pod: (typeof pods)[number]) => pod.spec.containers.flatMap(({ ports = [] }) => ports);
    const [api] = pods.filter(({ of }) => of === "api.yaml Deployment");
    for (const { targetPort } of one("Service", "collapsar")!.spec.ports ?? [])
      expect(ports(api!).map(({ name }) => name)).toContain(targetPort);
    for (const pod of MEASURED)
      expect(ports(pod).map(({ containerPort }) => String(containerPort))).toContain(
        pod.annotations["prometheus.io/port"],
      );
    for (const [of, { livenessProbe, readinessProbe, startupProbe, volumeMounts = [] }, pod] of containers) {
      for (const port of [livenessProbe, readinessProbe, startupProbe].flatMap((probe) => probe?.httpGet?.port ?? []))
        expect([of, ports(pod).flatMap(({ name, containerPort }) => [name, containerPort])]).toEqual([
          of,
          expect.arrayContaining([port]),
        ]);
      const volumes = (pod.spec.volumes ?? []).map(({ name }) => name);
      for (const { name } of volumeMounts) expect([of, volumes]).toEqual([of, expect.arrayContaining([name])]);
    }
  });

  it("holds for what KEDA scales", () => {
    for (const { spec } of all("ScaledObject")) {
      const target = one("Deployment", spec.scaleTargetRef.name)!;
      expect(target.spec.replicas).toBeUndefined();
      expect(spec.minReplicaCount).toBe(0);
    }
    const triggers = [...all("ScaledObject"), ...all("ScaledJob")].flatMap(({ spec }) => spec.triggers);
    expect(triggers).toHaveLength(2);
    for (const { authenticationRef } of triggers)
      expect(one("TriggerAuthentication", authenticationRef.name)).toBeDefined();
  });

  it("holds for images: each has its tag of this version from Kustomize", () => {
    const images = containers.map(([, { image }]) => image!);
    expect(kustomization.images.map(({ name }) => name)).toEqual([...new Set(images)].sort());
    for (const { newTag } of kustomization.images) expect(newTag).toBe(VERSION);
  });
});

describe("every container", () => {
  const OURS = new Set(Object.keys(ENVIRONMENT));

  it.each(containers)("%s may do nothing but its work", (_, { securityContext, resources }, { spec }) => {
    const context = { ...spec.securityContext, ...securityContext };
    expect(context).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
    for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
      expect(resources!.requests).toHaveProperty([resource]);
      expect(resources!.limits).toHaveProperty([resource]);
    }
    for (const { emptyDir } of spec.volumes ?? []) if (emptyDir) expect(emptyDir.sizeLimit).toBeDefined();
  });

  it.each(containers)("%s is told by variables that are read", (_, { env = [], envFrom = [] }) => {
    const configured = envFrom.flatMap(({ configMapRef }) => Object.keys(one("ConfigMap", configMapRef!.name!)!.data));
    const names = [...env.map(({ name }) => name), ...configured];
    expect(names).toContain("DATABASE_URL");
    expect(names.filter((name) => !OURS.has(name) && !name.startsWith("AWS_"))).toEqual([]);
    for (const { name, value } of env) expect([name, value]).toEqual([name, undefined]); // secrets by reference
  });

  it.each(containers)("%s starts a command with options that it has", async (_, { args = [] }) => {
    const words = args.filter((arg) => /^[a-z]+$/.test(arg)).slice(0, args[0] === "token" ? 2 : 1);
    const { stdout } = await run(process.execPath, [join(ROOT, "bin/collapsar.js"), ...words, "--help"]);
    expect(stdout).toContain(`Usage: collapsar ${words.join(" ")}`);
    for (const option of args.filter((arg) => arg.startsWith("--"))) expect(stdout).toContain(option);
  });

  it("has time to hand back its work, and probes where it answers", () => {
    const serving = pods.filter(({ of, spec }) => spec.containers[0]!.ports && !of.startsWith("api-knative"));
    expect(serving.length).toBe(2);
    for (const { spec } of serving) {
      const { livenessProbe, readinessProbe, lifecycle } = spec.containers[0]!;
      expect([livenessProbe!.httpGet!.path, readinessProbe!.httpGet!.path]).toEqual(["/healthz", "/readyz"]);
      const stopMs = (lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000 + GRACE_MS + ABORT_MS;
      expect(spec.terminationGracePeriodSeconds! * 1000).toBeGreaterThanOrEqual(stopMs + 5000);
    }
    const worker = pods.find(({ of }) => of === "worker-cpu.yaml ScaledJob")!;
    expect(worker.spec.terminationGracePeriodSeconds! * 1000).toBeGreaterThanOrEqual(GRACE_MS + ABORT_MS + 5000);
  });
});

it("the cache of a worker fits into its volume", () => {
  const bytes = Number(all("ConfigMap")[0]!.data.COLLAPSAR_CACHE_BYTES);
  const volumes = pods
    .filter(({ labels }) => labels["app.kubernetes.io/component"] === "worker")
    .map(({ spec }) => spec.volumes!.find(({ name }) => name === "data")!.emptyDir!.sizeLimit!);
  expect(volumes).toHaveLength(2);
  for (const size of volumes) expect(bytes).toBeLessThan(Number.parseInt(String(size), 10) * 2 ** 30);
});

describe("the network", () => {
  const policies = all("NetworkPolicy");

  it("is closed in both directions to whatever no policy names", () => {
    expect(one("NetworkPolicy", "default-deny")!.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  it("opens no port to everybody and leads to no metadata service", () => {
    const rules = policies.flatMap(({ spec }) => [...(spec.ingress ?? []), ...(spec.egress ?? [])]);
    expect(rules.length).toBeGreaterThan(4);
    for (const rule of rules) {
      expect(rule.ports.length).toBeGreaterThan(0);
      const peers = rule.from ?? rule.to;
      expect(peers.length).toBeGreaterThan(0);
      for (const { ipBlock } of peers)
        if (ipBlock?.cidr === "0.0.0.0/0") expect(ipBlock.except).toContain("169.254.0.0/16");
        else if (ipBlock?.cidr === "::/0") expect(ipBlock.except).toContain("fd00:ec2::/32");
    }
  });

  it("leads from every pod to its database, and from API and workers to https", () => {
    const egress = (port: number) =>
      policies.filter(({ spec }) =>
        spec.egress?.some((rule: { ports: { port: number }[] }) => rule.ports.some((open) => open.port === port)),
      );
    for (const { labels } of pods) expect(labels["app.kubernetes.io/part-of"]).toBe("collapsar");
    for (const port of [53, 5432])
      expect(egress(port).map(({ spec }) => spec.podSelector)).toEqual([
        { matchLabels: { "app.kubernetes.io/part-of": "collapsar" } },
      ]);
    expect(egress(443)[0]!.spec.podSelector.matchExpressions[0].values).toEqual(["api", "worker"]);
  });
});
