import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { IContainer, IPodSpec } from "kubernetes-models/v1";
import { parse, parseAllDocuments } from "yaml";

export const FOLDER = fileURLToPath(new URL("../../deploy/kubernetes/", import.meta.url));

/** A document of the manifests, as far as all of them are alike. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: what it is depends on the kind
  readonly [field: string]: any;
}

/** What Kustomize is told. */
export const kustomization = parse(readFileSync(join(FOLDER, "kustomization.yaml"), "utf8")) as {
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
};

/** Every document of the folder, also the alternatives and the example of a secret. */
export const manifests: readonly Manifest[] = readdirSync(FOLDER)
  .filter((file) => file !== "kustomization.yaml")
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, file), "utf8")).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]}`);
      return { file, ...document.toJS() } as Manifest;
    }),
  );

/** Returns the document without what is ours. */
export function bodyOf({ file: _, ...body }: Manifest): object {
  return body;
}

/** A pod that some document asks for. */
export interface PodTemplate {
  /** `file Kind`, for messages. */
  readonly of: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: IPodSpec;
}

/** Every pod that the documents ask for. */
export const pods: readonly PodTemplate[] = manifests.flatMap(({ file, kind, spec }) => {
  const template = kind === "ScaledJob" ? spec.jobTargetRef.template : spec?.template;
  if (!template?.spec) return [];
  const { labels = {}, annotations = {} } = template.metadata;
  return [{ of: `${file} ${kind}`, labels, annotations, spec: template.spec as IPodSpec }];
});

/** Every container of every pod, with its pod. */
export const containers: readonly (readonly [of: string, container: IContainer, pod: PodTemplate])[] = pods.flatMap(
  (pod) =>
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
      (container) => [`${pod.of} ${container.name}`, container, pod] as const,
    ),
);
