import { expect, it } from "vitest";
import { placeOf } from "../../src/evaluation/place.ts";

const SHA = "0123456789abcdef";
const foreign = { experiment: "my experiment", epoch: "3.5", run: "a b" };

it("lets the request say where a checkpoint belongs, whatever its own metadata hold", () => {
  const run = { id: "r1", experiment: "e", epoch: 4 };
  expect(placeOf({ checkpoint: "file:///c.pt", run }, foreign, SHA)).toMatchObject({
    run: "r1",
    experiment: "e",
    epoch: 4,
  });
});

it("names the metadata that are used and are no place", () => {
  expect(() => placeOf({ checkpoint: "file:///c.pt" }, { epoch: "3.5" }, SHA)).toThrow(/epoch="3.5"/);
});
