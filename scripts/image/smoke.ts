import { copyFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../../src/errors.ts";
import type { ImageConfig } from "./description.ts";
import type { Sandbox, SandboxProcess } from "./sandbox.ts";

const CHECKPOINT = fileURLToPath(new URL("../../test/fixtures/golden/resnet18-mnist.safetensors", import.meta.url));
const LONGEST_START_MS = 30_000;
const LONGEST_STOP_MS = 10_000;

/** Prints the user's id and how writing beside the program ends. */
const WHO_AM_I = `let error = "written";
try { fs.writeFileSync("/app/x", "") } catch ({ code }) { error = code }
console.log(process.getuid(), error)`;

/**
 * Tries out an image in a sandbox whose root file system is read-only, and yields what it saw, a line each.
 * @throws CollapsarError `internal` that says what was expected.
 */
export async function* smokeTest(sandbox: Sandbox, config: ImageConfig): AsyncGenerator<string> {
  const { Entrypoint, Cmd, Healthcheck, StopSignal } = config;
  const [uid] = config.User.split(":");
  const who = await succeed(sandbox, ["node", "--eval", WHO_AM_I]);
  expect(who === `${uid} EROFS` && uid !== "0", `a user other than root and a read-only file system, got: ${who}`);
  yield `runs as user ${uid} on a read-only root file system`;

  yield `collapsar --version: ${await succeed(sandbox, [...Entrypoint, "--version"])}`;
  yield `collapsar evaluate: ${await evaluate(sandbox, Entrypoint)}`;

  await succeed(sandbox, [...Entrypoint, "token", "create", "smoke"]); // the image serves other machines
  const port = await freePort();
  const service = sandbox.start([...Entrypoint, ...Cmd], { PORT: String(port) });
  yield `collapsar ${Cmd.join(" ")}: /healthz answered 200 after ${await untilHealthy(service, port)} ms`;
  const healthy = () => sandbox.start(Healthcheck.Test.slice(1), { PORT: String(port) }).ended;
  const during = await healthy();
  expect(during.status === 0, `the health check to exit with 0, got ${during.status}: ${during.stderr}`);
  yield "the health check exits with 0";

  yield `${StopSignal} ends it with exit status 0 after ${await stop(service, StopSignal)} ms`;
  const after = await healthy();
  expect(after.status === 1, `the health check to exit with 1 once the service is gone, got ${after.status}`);
  yield "the health check then exits with 1";
}

/** Evaluates a checkpoint on real digits and returns two of the metrics. */
async function evaluate(sandbox: Sandbox, entrypoint: readonly string[]): Promise<string> {
  copyFileSync(CHECKPOINT, join(sandbox.volume, "checkpoint.safetensors"));
  const network = ["--network", "mean=0.1307", "--network", "std=0.3081"];
  const command = ["evaluate", "checkpoint.safetensors", "--dataset", "digits", ...network, "--json"];
  const output = await succeed(sandbox, [...entrypoint, ...command]);
  const { nc1, accuracy } = JSON.parse(output).values ?? {};
  expect(Number.isFinite(nc1) && Number.isFinite(accuracy), `values of nc1 and accuracy, got: ${output}`);
  return `nc1 ${nc1.toPrecision(4)}, accuracy ${accuracy.toPrecision(4)}`;
}

async function succeed(sandbox: Sandbox, command: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await sandbox.start(command).ended;
  expect(status === 0, `${command.slice(0, 3).join(" ")} to exit with 0, got ${status}:\n${stderr}`);
  return stdout;
}

/** Returns the milliseconds until `/healthz` answered 200. */
async function untilHealthy(service: SandboxProcess, port: number): Promise<number> {
  const start = performance.now();
  let ended: string | undefined;
  service.ended.then(({ status, stderr }) => {
    ended = `exit status ${status}:\n${stderr}`;
  });
  while (performance.now() - start < LONGEST_START_MS) {
    expect(ended === undefined, `a service that keeps running, got ${ended}`);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.status === 200) return Math.round(performance.now() - start);
    await sleep(100);
  }
  throw unmet(`/healthz to answer 200 within ${LONGEST_START_MS} ms`);
}

/** Returns the milliseconds until the service ended upon `signal`. */
async function stop(service: SandboxProcess, signal: NodeJS.Signals): Promise<number> {
  const start = performance.now();
  service.signal(signal);
  const tooLate = setTimeout(() => service.signal("SIGKILL"), LONGEST_STOP_MS);
  const { status, stderr } = await service.ended;
  clearTimeout(tooLate);
  expect(status === 0, `exit status 0 within ${LONGEST_STOP_MS} ms of ${signal}, got ${status}:\n${stderr}`);
  return Math.round(performance.now() - start);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function expect(met: boolean, expectation: string): asserts met {
  if (!met) throw unmet(expectation);
}

function unmet(expectation: string): CollapsarError {
  return new CollapsarError("internal", `the image failed its test: expected ${expectation}`);
}
