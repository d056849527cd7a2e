import { expect, it } from "vitest";
import { startOwnPostgres } from "../servers/postgres.ts";
import { startOwnS3 } from "../servers/s3.ts";
import { runScenario } from "./scenario.ts";

const [postgres, s3] = await Promise.all([startOwnPostgres(), startOwnS3()]);

/** `npm run soak` in short. Without PostgreSQL or an S3 server there is nothing that could be away. */
it.runIf(postgres && s3)(
  "64 submissions while workers are killed, PostgreSQL crashes and is restarted, S3 is away and a disk is full: each is evaluated, once, with the numbers of a quiet run",
  { timeout: 900_000 },
  async () => {
    const heard: string[] = [];
    const listener = { say: () => {}, hear: (line: string) => heard.push(line), progress: () => {} };
    const plan = { submissions: 64, perSecond: 2, killSeconds: 4, s3Seconds: 8 };
    try {
      const { problems, faulty } = await runScenario({ postgres: postgres!, s3: s3! }, plan, listener);
      expect(problems).toEqual([]);
      expect(faulty.states).toEqual({ succeeded: 64 });
      // that all of it has happened
      expect(faulty.faults).toHaveLength(4);
      expect(faulty.workers.killed).toBeGreaterThan(2);
      expect(faulty.failures.cramped["disk-full"]).toBeGreaterThan(0);
      expect(faulty.posts["503"]).toBeGreaterThan(0);
      const known = /^(database-unavailable|storage-unavailable|disk-full)$/;
      for (const failures of Object.values(faulty.failures))
        for (const code of Object.keys(failures)) {
          const told = heard.filter((line) => line.includes(code)).join("\n");
          expect(code, told).toMatch(known);
        }
    } finally {
      await Promise.all([postgres!.stop(), s3!.stop()]);
    }
  },
);
