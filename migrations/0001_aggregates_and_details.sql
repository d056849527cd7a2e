CREATE TABLE "evaluation_details" (
	"evaluation_id" text PRIMARY KEY NOT NULL,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
DROP INDEX "evaluations_of_checkpoint";--> statement-breakpoint
ALTER TABLE "evaluations" ADD COLUMN "dataset" text GENERATED ALWAYS AS (protocol_parts -> 'dataset' ->> 'name') STORED;--> statement-breakpoint
ALTER TABLE "evaluation_details" ADD CONSTRAINT "evaluation_details_evaluation_id_evaluations_id_fk" FOREIGN KEY ("evaluation_id") REFERENCES "public"."evaluations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "evaluations_recorded" ON "evaluations" USING btree ("checkpoint_id","protocol","dataset","finished_at","id") WHERE "evaluations"."same_as" is null and "evaluations"."status" = 'succeeded';--> statement-breakpoint
CREATE INDEX "metric_values_of_name" ON "metric_values" USING btree ("name","evaluation_id","value");