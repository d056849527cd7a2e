import { evaluatorInChildren } from "../../../src/jobs/process/children.ts";

// A process with a child for operations, to be killed.
const cache = { folder: "/nowhere", bytes: 0 };
const evaluator = evaluatorInChildren({ store: "file:///nowhere", data: [], cache, fileRoots: [], allowed: null });
const request = { checkpoint: "file:///etc/passwd", dataset: "digits" };
await evaluator.run("evaluate", request, new AbortController()).catch(() => {});
console.log("ready");
setInterval(() => {}, 1000);
