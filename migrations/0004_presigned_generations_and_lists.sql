ALTER TABLE "evaluations" ADD COLUMN "presigned" jsonb;--> statement-breakpoint
ALTER TABLE "evaluations" ADD COLUMN "generation" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "evaluations_checkpoint_id_index" ON "evaluations" USING btree ("checkpoint_id");--> statement-breakpoint
CREATE INDEX "evaluations_dataset_id_index" ON "evaluations" USING btree ("dataset","id");--> statement-breakpoint
CREATE INDEX "evaluations_unread" ON "evaluations" USING btree ("id") WHERE "evaluations"."checkpoint_id" is null;--> statement-breakpoint
UPDATE "evaluations" SET "presigned" = CASE WHEN "status" IN ('queued', 'running') THEN jsonb_build_object('checkpoint', "request" -> 'checkpoint') ELSE '{}' END, "request" = jsonb_set("request", '{checkpoint}', to_jsonb(regexp_replace("request" ->> 'checkpoint', '[?#].*$', ''))) WHERE "request" ->> 'checkpoint' ~* '^https?:[^?]*[?]';
