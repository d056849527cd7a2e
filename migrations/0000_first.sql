CREATE TYPE "public"."evaluation_status" AS ENUM('queued', 'running', 'succeeded', 'failed', 'cancelled');--> statement-breakpoint
CREATE TABLE "checkpoints" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "checkpoints_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" text NOT NULL,
	"epoch" bigint,
	"sha256" text NOT NULL,
	"url" text NOT NULL,
	"size" bigint NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "checkpoints_identity" UNIQUE NULLS NOT DISTINCT("run_id","epoch","sha256")
);
--> statement-breakpoint
CREATE TABLE "evaluations" (
	"id" text PRIMARY KEY NOT NULL,
	"status" "evaluation_status" DEFAULT 'queued' NOT NULL,
	"request" jsonb NOT NULL,
	"request_key" text NOT NULL,
	"force" boolean DEFAULT false NOT NULL,
	"checkpoint_url" text NOT NULL,
	"checkpoint_etag" text NOT NULL,
	"checkpoint_size" bigint NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"progress" jsonb,
	"error" jsonb,
	"checkpoint_id" bigint,
	"protocol" text,
	"protocol_parts" jsonb,
	"engine" jsonb,
	"same_as" text,
	"omitted" jsonb,
	"seconds" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "metric_values" (
	"evaluation_id" text NOT NULL,
	"name" text NOT NULL,
	"value" double precision NOT NULL,
	CONSTRAINT "metric_values_evaluation_id_name_pk" PRIMARY KEY("evaluation_id","name"),
	CONSTRAINT "metric_values_finite" CHECK ("metric_values"."value" > '-Infinity' and "metric_values"."value" < 'Infinity')
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"experiment" text,
	"group" text,
	"seed" bigint,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "checkpoints" ADD CONSTRAINT "checkpoints_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_checkpoint_id_checkpoints_id_fk" FOREIGN KEY ("checkpoint_id") REFERENCES "public"."checkpoints"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_same_as_evaluations_id_fk" FOREIGN KEY ("same_as") REFERENCES "public"."evaluations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "metric_values" ADD CONSTRAINT "metric_values_evaluation_id_evaluations_id_fk" FOREIGN KEY ("evaluation_id") REFERENCES "public"."evaluations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "checkpoints_sha256_index" ON "checkpoints" USING btree ("sha256");--> statement-breakpoint
CREATE UNIQUE INDEX "evaluations_request" ON "evaluations" USING btree ("request_key") WHERE not "evaluations"."force" and "evaluations"."status" in ('queued', 'running', 'succeeded');--> statement-breakpoint
CREATE UNIQUE INDEX "evaluations_identity" ON "evaluations" USING btree ("checkpoint_id","protocol") WHERE not "evaluations"."force" and "evaluations"."same_as" is null and "evaluations"."status" = 'succeeded';--> statement-breakpoint
CREATE INDEX "evaluations_of_checkpoint" ON "evaluations" USING btree ("checkpoint_id","protocol") WHERE "evaluations"."same_as" is null;--> statement-breakpoint
CREATE INDEX "evaluations_status_id_index" ON "evaluations" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "runs_experiment_id_index" ON "runs" USING btree ("experiment","id");