import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Buildah } from "./buildah.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** The registries this machine uses; npm itself sets the first for its scripts. */
const REGISTRIES = ["npm_config_registry", "PIP_INDEX_URL"];

/**
 * Builds a target of the Dockerfile upon the image `base` and returns the name of the result. The build uses this
 * machine's network, its proxies, its registries and the certificates it trusts; none of them stays in the image.
 */
export function buildImage(buildah: Buildah, { target, base }: { target: string; base: string }): string {
  const name = `localhost/collapsar:${target}`;
  const registries = REGISTRIES.flatMap((variable) => {
    const url = process.env[variable]?.replace(/\/+$/, "");
    return url ? [`--build-arg=${variable}=${url}`] : [];
  });
  buildah.show(
    "build",
    "--isolation=chroot",
    "--format=docker", // OCI's knows no health check
    "--layers=false", // each would be a whole copy
    `--target=${target}`,
    `--tag=${name}`,
    `--build-arg=BASE_IMAGE=${base}`,
    ...registries,
    ...certificates().map((file) => `--secret=id=ca,src=${file}`),
    REPOSITORY,
  );
  return name;
}

/** The file of certificates this machine trusts beside the usual ones, for a network whose proxy signs its own. */
function certificates(): string[] {
  const { NODE_EXTRA_CA_CERTS, SSL_CERT_FILE } = process.env;
  return [NODE_EXTRA_CA_CERTS, SSL_CERT_FILE].filter((file) => file && existsSync(file)).slice(0, 1) as string[];
}
