import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../servers/chromium.ts";
import { eventually, visit } from "./browse.ts";
import { type Dashboard, openDashboard } from "./dashboard.ts";
import { examine } from "./examine.ts";

const browser = await startChromium();

describe.runIf(browser)("the dashboard of an empty service", { timeout: 120_000 }, () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await openDashboard(browser!);
  }, 180_000);
  afterAll(() => dashboard?.close());

  it("says in every view what to do first, and axe finds nothing", async () => {
    for (const [path, heading, text] of [
      ["/", "Nothing has been evaluated yet", "Submit a checkpoint"],
      ["/ui/runs", "There is no run yet", "Submit a checkpoint"],
    ] as const)
      await visit(dashboard, path, async (page) => {
        await eventually(() => page.locator(".empty h2").textContent()).toBe(heading);
        await examine(page, `empty${path.replaceAll("/", "-").replace(/-$/, "")}`);
        await page.getByRole("link", { name: text }).click();
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("Submit");
      });
    await visit(dashboard, "/ui/queue", async (page) => {
      for (const part of ["Nothing runs.", "Nothing waits.", "Nothing failed.", "Nothing was cancelled."])
        await eventually(() => page.getByText(part).count()).toBe(1);
      await examine(page, "empty-queue");
    });
  });

  it("says of what is not there that it is not, and where to look", async () => {
    for (const path of ["/ui/experiments/none", "/ui/runs/none", "/ui/evaluations/01NONE"])
      await visit(dashboard, path, async (page) => {
        await eventually(() => page.getByRole("alert").first().textContent()).toMatch(
          /^There is no such thing\. .*none/i,
        );
        expect(await page.getByRole("alert").first().textContent()).toContain("It may have been deleted");
        await examine(page, "not-found");
      });
    await visit(dashboard, "/ui/nowhere", async (page) => {
      await eventually(() => page.locator(".empty h2").textContent()).toBe("There is no such page");
      await page.getByRole("main").getByRole("link", { name: "experiments" }).click();
      await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("Experiments");
    });
  });

  it("says that no answer comes, and asks again", async () => {
    await visit(dashboard, "/ui/runs", async (page) => {
      const asked = ({ pathname }: URL) => pathname === "/experiments";
      await page.route(asked, (route) => route.abort());
      await page.getByRole("link", { name: "Experiments" }).click();
      await eventually(() => page.getByRole("alert").textContent()).toContain("Is collapsar serve still running?");
      await page.unroute(asked);
      await page.getByRole("button", { name: "Try again" }).click();
      await eventually(() => page.locator(".empty h2").textContent()).toBe("Nothing has been evaluated yet");
    });
  });

  it("says that a page broke, where one does, instead of going on half", async () => {
    const look: Parameters<typeof visit>[2] = async (page) => {
      const asked = ({ pathname }: URL) => pathname === "/runs";
      await page.route(asked, (route) => route.fulfill({ json: { items: [{}], next: null } }));
      await page.getByRole("link", { name: "Runs" }).click();
      await eventually(() => page.locator(".empty h2").textContent()).toBe("This page broke");
      await page.unroute(asked);
      await page.getByRole("button", { name: "Load it again" }).click();
      await eventually(() => page.locator(".empty h2").textContent()).toBe("There is no run yet");
    };
    await visit(dashboard, "/ui/queue", look, { expected: /^TypeError/ });
  });

  it("says so where a view does not come, as after an update of the service", async () => {
    await visit(dashboard, "/", async (page) => {
      await page.route("**/assets/queue-*.js", (route) => route.abort());
      await page.getByRole("link", { name: "Queue" }).click();
      await eventually(() => page.locator(".empty h2").textContent()).toBe("This page broke");
      await page.unroute("**/assets/queue-*.js");
      await page.getByRole("button", { name: "Load it again" }).click();
      await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("Queue");
    });
  });
});

describe.runIf(browser)("the dashboard of a service with tokens", { timeout: 120_000 }, () => {
  let dashboard: Dashboard;
  const tokens = {} as Record<"read" | "submit", string>;
  const make = async (name: string, scope: string, authorization?: string) => {
    const answer = await fetch(`${dashboard.url}/tokens`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(authorization && { authorization: `Bearer ${authorization}` }),
      },
      body: JSON.stringify({ name, scope }),
    });
    return ((await answer.json()) as { token: string }).token;
  };
  beforeAll(async () => {
    dashboard = await openDashboard(browser!, { worker: false });
    const admin = await make("admin", "admin");
    for (const scope of ["read", "submit"] as const) tokens[scope] = await make(scope, scope, admin);
  }, 180_000);
  afterAll(async () => {
    await dashboard?.close();
    await browser!.close();
  });

  it("asks for a token, refuses a wrong one, and then shows the page that was asked for until the tab is closed", async () => {
    await visit(dashboard, "/ui/runs?q=x", async (page) => {
      await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("Log in");
      await examine(page, "login");
      await page.getByLabel("Token").fill("clp_wrong");
      await page.getByRole("button", { name: "Log in" }).click();
      await eventually(() => page.getByRole("alert").count()).toBe(1);
      await page.getByLabel("Token").fill(tokens.read);
      await page.keyboard.press("Enter");
      await eventually(() => page.locator(".empty h2").textContent()).toBe("No run matches");
      expect(page.url()).toBe(`${dashboard.url}/ui/runs?q=x`);
      await page.reload();
      await eventually(() => page.locator(".empty h2").textContent()).toBe("No run matches");
      const other = await page.context().newPage();
      await other.goto("/ui/runs");
      await eventually(() => other.getByRole("heading", { level: 1 }).textContent()).toBe("Log in");
    });
  });

  it("says which scope an action needs", async () => {
    const submitWith = (token: string, look: Parameters<typeof visit>[2]) =>
      visit(dashboard, "/ui/queue", async (page) => {
        await page.getByLabel("Token").fill(token);
        await page.keyboard.press("Enter");
        await page.getByRole("link", { name: "Submit" }).click();
        await page.getByRole("textbox", { name: "Checkpoints" }).fill("file:///nowhere/a.safetensors");
        await page.getByRole("button", { name: "Evaluate" }).click();
        await look(page);
      });
    await submitWith(tokens.read, async (page) => {
      await eventually(() => page.getByRole("alert").textContent()).toContain(
        "collapsar token create NAME --scope submit",
      );
    });
    await submitWith(tokens.submit, async (page) => {
      await eventually(() => page.getByRole("alert").textContent()).toMatch(/nowhere/);
    });
  });
});
