import { describe, expect, it } from "vitest";
import { createdObjects } from "../../src/storage/notifications.ts";

const record = (eventName: string, key: string) => ({
  eventVersion: "2.1",
  eventSource: "aws:s3",
  eventName,
  s3: { s3SchemaVersion: "1.0", bucket: { name: "models", arn: "arn:aws:s3:::models" }, object: { key, size: 12 } },
});
const records = { Records: [record("ObjectCreated:Put", "run+7/epoch%3D1.safetensors")] };
const urls = ["s3://models/run%207/epoch=1.safetensors"];

describe("a notification of S3", () => {
  it.each([
    ["of AWS", records],
    [
      "of MinIO",
      {
        EventName: "s3:ObjectCreated:Put",
        Key: "models/a",
        Records: [record("s3:ObjectCreated:Put", "run+7/epoch%3D1.safetensors")],
      },
    ],
    ["through SNS", { Type: "Notification", TopicArn: "arn:aws:sns:t", Message: JSON.stringify(records) }],
    [
      "through EventBridge, which does not encode keys",
      {
        source: "aws.s3",
        "detail-type": "Object Created",
        detail: { bucket: { name: "models" }, object: { key: "run 7/epoch=1.safetensors" } },
      },
    ],
  ])("%s names the objects that were made", (_, notification) => {
    expect(createdObjects(notification)).toEqual(urls);
  });

  it.each([
    ["of what was removed", { Records: [record("ObjectRemoved:Delete", "a.pt")] }],
    ["of tags", { Records: [record("s3:ObjectTagging:Put", "a.pt")] }],
    ["that is a test", { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "models" }],
    [
      "of EventBridge about what was removed",
      { source: "aws.s3", "detail-type": "Object Deleted", detail: { bucket: { name: "m" }, object: { key: "a" } } },
    ],
  ])("%s names none", (_, notification) => {
    expect(createdObjects(notification)).toEqual([]);
  });

  it("keeps what a key holds of a URL's own characters", () => {
    const odd = { Records: [record("ObjectCreated:Copy", "a%3Fb%23c%25d%2Be/%C3%A4.pt")] };
    expect(createdObjects(odd)).toEqual(["s3://models/a%3Fb%23c%25d+e/%C3%A4.pt"]);
  });

  it.each([
    null,
    7,
    [],
    {},
    { Records: [{}] },
    { Records: [record("ObjectCreated:Put", "%zz")] },
    { Records: [record("ObjectCreated:Put", "\ud800")] },
    { Type: "Notification", Message: "no JSON" },
    { Type: "Notification", Message: JSON.stringify({ Type: "Notification", Message: "{}" }) },
  ])("is not %j", (notification) => {
    expect(() => createdObjects(notification)).toThrow(expect.objectContaining({ code: "invalid-request" }));
  });
});
