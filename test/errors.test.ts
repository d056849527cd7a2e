import { describe, expect, it } from "vitest";
import { asCollapsarError, CollapsarError, redact } from "../src/errors.ts";

describe("asCollapsarError", () => {
  it("knows a disk that is full by the code of the system", () => {
    for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
      const cause = Object.assign(new Error(`${code}: no room, write`), { code });
      const error = asCollapsarError(cause);
      expect(error).toMatchObject({ code: "disk-full", status: 507, retryable: true, cause });
      expect(error.message).toBe(`a file could not be written: ${code}: no room, write`);
    }
  });

  it("finds the error of ours that a library has wrapped, and nothing but that", () => {
    const ours = new CollapsarError("database-unavailable", "the database cannot be used: 57P01");
    expect(asCollapsarError(new Error("Failed query: select 1", { cause: ours }))).toBe(ours);
    const others = new Error("Failed query: select x", { cause: new Error("column x does not exist") });
    expect(asCollapsarError(others)).toMatchObject({ code: "internal", cause: others });
  });
});

describe("redact", () => {
  it.each([
    ['"https://user:secret@host/a" failed', '"https://host/a" failed'],
    ["GET https://host/a?X-Amz-Signature=secret: reset", "GET https://host/a reset"],
    ["postgres://me:secret@127.0.0.1:1/nc and s3://b/a?secret", "postgres://127.0.0.1:1/nc and s3://b/a"],
    ["s3://bucket/a@b stays", "s3://bucket/a@b stays"],
    ["Bearer clp_secret-secret_secret was shown", "Bearer clp_… was shown"],
    ['expected {"checkpoint": "s3://…"}? yes', 'expected {"checkpoint": "s3://…"}? yes'],
  ])("makes of %j %j", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it("is what every error of ours does, of unexpected ones too", () => {
    const cause = new Error("fetch https://host/a?signature=secret failed");
    expect(asCollapsarError(cause).message).toBe("unexpected failure: fetch https://host/a failed");
    expect(new CollapsarError("internal", "clp_secret").message).not.toContain("secret");
  });
});
