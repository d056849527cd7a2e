/**
 * The peer: Hono routes that do one statement each through postgres.js and nothing else, on the same tables. No validation,
 * no tokens, no log.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import postgres from "postgres";

const sql = postgres(process.env.DATABASE_URL!, { onnotice() {} });
await sql`create table if not exists bare (id text primary key, body jsonb not null, created_at timestamptz default now())`;

const app = new Hono();
app.get("/runs/:id/metrics", async (context) =>
  context.json(
    await sql`
      select e.id as evaluation, c.epoch, c.sha256, e.checkpoint_url as checkpoint, e.dataset, e.protocol, m.name, m.value
      from evaluations e join checkpoints c on c.id = e.checkpoint_id join metric_values m on m.evaluation_id = e.id
      where c.run_id = ${context.req.param("id")} and e.status = 'succeeded' order by c.epoch, e.id, m.name`,
  ),
);
app.get("/runs/:id", async (context) =>
  context.json(await sql`select * from runs where id = ${context.req.param("id")}`),
);
app.post("/evaluate", async (context) => {
  const id = crypto.randomUUID();
  await sql`insert into bare (id, body) values (${id}, ${sql.json(await context.req.json())})`;
  return context.json({ id }, 202);
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  console.error(JSON.stringify({ msg: "serving", time: Date.now(), url: `http://127.0.0.1:${port}` }));
});
process.once("SIGTERM", () => process.exit());
