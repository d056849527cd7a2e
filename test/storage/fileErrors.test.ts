import { expect, it } from "vitest";
import { asFileError } from "../../src/storage/fileErrors.ts";

it.each([
  ["ENOENT", "object-not-found", false],
  ["EACCES", "forbidden-url", false],
  ["ENOSPC", "disk-full", true],
  ["EDQUOT", "disk-full", true],
  ["EIO", "storage-unavailable", true],
])("what the file system calls %s is %s", (code, ours, retryable) => {
  const error = Object.assign(new Error(`${code}: it said so`), { code, errno: -1 });
  expect(asFileError("file:///data/a?secret", error, undefined)).toMatchObject({ code: ours, retryable });
});

it("what was given up is the reason of the signal", () => {
  expect(asFileError("file:///a", new Error("aborted"), AbortSignal.abort("enough"))).toBe("enough");
});
