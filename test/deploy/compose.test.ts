import { readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import type { EvaluationResource } from "../../src/api/contract.ts";
import { serviceAt, submit, untilEnded } from "../../src/commands/connection.ts";
import { ENVIRONMENT } from "../../src/environment.ts";
import { ABORT_MS, GRACE_MS } from "../../src/jobs/queue.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes, emptyFolder } from "../api/samples.ts";
import { runProgram, type Started, startProgram, stopProgram } from "../commands/program.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";

interface ComposeService {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const FILE = fileURLToPath(new URL("../../docker-compose.yaml", import.meta.url));
const { services } = parse(readFileSync(FILE, "utf8"), { merge: true }) as {
  services: Readonly<Record<"token" | "service" | "worker" | "database" | "store", ComposeService>>;
};
const OURS = ["token", "service", "worker"] as const;

const [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
afterAll(() => Promise.all([postgres?.stop(), s3?.stop()]));

it.each(OURS)("the %s may do nothing but its work, and is told by variables that are read", (name) => {
  expect(services[name]).toMatchObject({ read_only: true, cap_drop: ["ALL"], tmpfs: ["/tmp"], init: true });
  expect(services[name].security_opt).toEqual(["no-new-privileges:true"]);
  const known = (variable: string) => variable in ENVIRONMENT || variable.startsWith("AWS_");
  expect(Object.keys(services[name].environment).filter((variable) => !known(variable))).toEqual([]);
  const grace = Number.parseInt(String(services[name].stop_grace_period), 10) * 1000;
  expect(grace).toBeGreaterThanOrEqual(GRACE_MS + ABORT_MS + 5000);
});

it("ports are open on this machine alone", () => {
  const ports = Object.values(services).flatMap((service) => (service.ports as string[] | undefined) ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

/** With Docker's own part, networks and volumes, left out. */
it.runIf(postgres && s3)("its commands make a token, serve all addresses with it, and evaluate", async () => {
  const data = await emptyFolder();
  const base = {
    ...process.env,
    ...services.service.environment,
    ...s3!.env,
    COLLAPSAR_STORE: `s3://${s3!.bucket}`,
    DATABASE_URL: await freshDatabase(postgres!),
    ...{ HOST: "0.0.0.0", PORT: "0", COLLAPSAR_HOME: data }, // as the Dockerfile has it
  };
  const commandOf = (name: (typeof OURS)[number]) => services[name].command.map((word) => word.replace("/data", data));
  const started: Started[] = [];
  try {
    const early = startProgram(data, base, ...commandOf("service"));
    await expect(early).rejects.toThrow(/no token exists: make one/);

    expect(await runProgram(data, base, ...commandOf("token"))).toMatchObject({ code: 0 });
    const token = await readFile(join(data, "token"), "utf8");
    expect(await runProgram(data, base, ...commandOf("token"))).toMatchObject({ code: 0 });
    expect(await readFile(join(data, "token"), "utf8")).toBe(token);

    started.push(await startProgram(data, base, ...commandOf("service")));
    started.push(await startProgram(data, base, ...commandOf("worker")));
    const url = started[0]!.url.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/runs`)).status).toBe(401);

    Object.assign(process.env, s3!.env);
    const checkpoint = `s3://${s3!.bucket}/c.safetensors`;
    await openStorage({ fileRoots: null }).write(checkpoint, checkpointBytes());
    const api = serviceAt(url, token);
    const ended: EvaluationResource = await untilEnded(api, await submit(api, { checkpoint }));
    expect(ended).toMatchObject({ status: "succeeded", error: null });
    expect(await Promise.all(started.map((process) => stopProgram(process)))).toEqual([0, 0]);
  } finally {
    await Promise.all(started.map((process) => stopProgram(process, "SIGKILL")));
    await rm(data, { recursive: true });
  }
});
