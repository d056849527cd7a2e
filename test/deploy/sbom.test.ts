import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}

/** What CONTRIBUTING.md calls Apache, MIT or BSD, and their like. */
const PERMISSIVE = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BSL-1\.0|CC0-1\.0|Unlicense)$/;

it("npm run sbom lists what the program consists of, all of it under a permissive licence", async () => {
  const args = [`${ROOT}scripts/sbom.ts`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 2 ** 20 });
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string; components: readonly Component[] };
  expect(bomFormat).toBe("CycloneDX");
  const { dependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  const names = new Set(components.map(({ name }) => name));
  expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([]);
  const licenceOf = ({ licenses = [] }: Component) =>
    licenses.map(({ license, expression }) => license?.id ?? expression).join(" ");
  const isPermissive = (component: Component) =>
    licenceOf(component)
      .replace(/[()]/g, "")
      .split(" AND ")
      .every((either) => either.split(" OR ").some((id) => PERMISSIVE.test(id)));
  // sharp, which reads folders of images, loads libvips as it is: a library of its own under the LGPL
  const others = components.filter(({ name }) => !name.startsWith("@img/sharp-")).filter((c) => !isPermissive(c));
  expect(others.map((component) => `${component.name}: ${licenceOf(component)}`)).toEqual([]);
});
