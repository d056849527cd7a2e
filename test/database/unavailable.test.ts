import { expect, it } from "vitest";
import { unavailable } from "../../src/database/unavailable.ts";

it("says in words what the file system of PGlite throws as a number", () => {
  const full = { name: "ErrnoError", errno: 51 }; // as 0.5.16 throws it on a full disk
  expect(unavailable("the database", full).message).toBe("the database cannot be used: no space left on device");
});
