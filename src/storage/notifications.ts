import { z } from "zod";
import { CollapsarError } from "../errors.ts";
import { s3Url } from "./url.ts";

const location = z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) });

/** As AWS S3, MinIO and others that speak its protocol send it. */
const s3Event = z.object({ Records: z.array(z.object({ eventName: z.string(), s3: location })).max(1000) });
/** The same through SNS: in a string. */
const snsMessage = z.object({ Type: z.literal("Notification"), Message: z.string() });
/** As EventBridge sends it. */
const eventBridgeEvent = z.object({ "detail-type": z.string(), source: z.literal("aws.s3"), detail: location });
/** AWS S3 sends it when notifications are set up. */
const testEvent = z.object({ Event: z.literal("s3:TestEvent") });

/**
 * Returns the URLs of the objects that a store says were made: `Records` of AWS S3, MinIO and the like, also within a
 * message of SNS, or an event of EventBridge. Whatever else happened to objects gives none.
 * @throws CollapsarError `invalid-request` for what is none of them.
 */
export function createdObjects(notification: unknown): string[] {
  const inner = snsMessage.safeParse(notification);
  const event = inner.success ? parseJson(inner.data.Message) : notification;
  if (testEvent.safeParse(event).success) return [];
  const one = eventBridgeEvent.safeParse(event);
  if (one.success) {
    const { "detail-type": type, detail } = one.data;
    return type === "Object Created" ? [urlOf(detail, detail.object.key)] : [];
  }
  const several = s3Event.safeParse(event);
  if (!several.success) throw notAnEvent();
  return several.data.Records.filter(({ eventName }) => /^(s3:)?ObjectCreated:/.test(eventName)).map(({ s3 }) =>
    urlOf(s3, decodeKey(s3.object.key)),
  );
}

function urlOf({ bucket }: z.infer<typeof location>, key: string): string {
  if (!key.isWellFormed()) throw notAnEvent();
  return s3Url(bucket.name, key);
}

/** As a form encodes it. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw notAnEvent();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAnEvent();
  }
}

function notAnEvent(): CollapsarError {
  return new CollapsarError(
    "invalid-request",
    "the body is no notification of S3: expected Records, of each eventName and s3 with bucket.name and object.key, or an event of EventBridge",
  );
}
