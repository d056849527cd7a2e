import { expect, it } from "vitest";
import { createApp } from "../../src/api/app.ts";
import type { Service } from "../../src/api/service.ts";

const app = createApp({} as Service);

it("shows every request and every shape of the contract, with nothing that the content policy forbids", async () => {
  const response = await app.request("/docs");
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  const page = await response.text();
  const { paths, components } = (await (await app.request("/openapi.json")).json()) as {
    paths: Record<string, Record<string, { summary: string }>>;
    components: { schemas: object };
  };
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods))
      expect(page).toContain(`<b class="${method}">${method}</b> ${path}</h3>`);
  for (const name of Object.keys(components.schemas)) expect(page).toContain(`<section id="${name}">`);
  expect(page).not.toMatch(/<script|<style|style=|(href|src)="(https?:)?\/\/|\bundefined\b|\[object/);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
  const style = await app.request("/docs/style.css");
  expect(style.headers.get("content-type")).toMatch(/^text\/css/);
  expect(await style.text()).not.toMatch(/url\(|@import/);
});
