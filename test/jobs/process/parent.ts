import { evaluatorInChildren } from "../../../src/jobs/process/children.ts";

// A process with a child for operations, to be killed.
const evaluator = evaluatorInChildren({ store: "file:///nowhere", data: [], fileRoots: [], allowed: null });
const request = { checkpoint: "file:///etc/passwd", dataset: "digits" };
await evaluator.run("evaluate", request, new AbortController()).catch(() => {});
console.log("ready");
setInterval(() => {}, 1000);
