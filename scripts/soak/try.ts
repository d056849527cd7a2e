import { runScenario } from "/tmp/w/faults/test/faults/scenario.ts";
import { startOwnPostgres } from "/tmp/w/faults/test/servers/postgres.ts";
import { startOwnS3 } from "/tmp/w/faults/test/servers/s3.ts";

const [n, rate, kill, s3s] = process.argv.slice(2).map(Number);
const [postgres, s3] = await Promise.all([startOwnPostgres(), startOwnS3()]);
try {
  const t = performance.now();
  let last = 0;
  const report = await runScenario(
    { postgres: postgres!, s3: s3! },
    { submissions: n!, perSecond: rate!, killSeconds: kill!, s3Seconds: s3s! },
    {
      say: (l) => console.error(((performance.now() - t) / 1000).toFixed(1), l.slice(0, 400)),
      progress: (w, d, total) => {
        if (performance.now() - last > 3000) {
          last = performance.now();
          console.error(((last - t) / 1000).toFixed(1), w, d, total);
        }
      },
    },
  );
  console.log(JSON.stringify(report, null, 1));
} finally {
  await s3?.stop().catch(console.error);
  await postgres?.stop();
}
