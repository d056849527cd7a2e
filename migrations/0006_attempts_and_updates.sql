ALTER TABLE "evaluations" ADD COLUMN "attempt_log" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
UPDATE "runs" SET "updated_at" = "recorded"."at" FROM (SELECT "run_id", max("finished_at") AS "at" FROM "checkpoints" JOIN "evaluations" ON "checkpoint_id" = "checkpoints"."id" GROUP BY "run_id") "recorded" WHERE "recorded"."run_id" = "runs"."id" AND "recorded"."at" IS NOT NULL;
