ALTER TABLE "evaluations" ADD COLUMN "run_id" text;--> statement-breakpoint
ALTER TABLE "evaluations" ADD COLUMN "epoch" bigint;--> statement-breakpoint
UPDATE "evaluations" SET "run_id" = "checkpoints"."run_id", "epoch" = "checkpoints"."epoch" FROM "checkpoints" WHERE "checkpoints"."id" = "evaluations"."checkpoint_id";--> statement-breakpoint
CREATE FUNCTION "copy_run_and_epoch"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  SELECT "run_id", "epoch" INTO NEW."run_id", NEW."epoch" FROM "checkpoints" WHERE "id" = NEW."checkpoint_id";
  RETURN NEW;
END $$;--> statement-breakpoint
CREATE TRIGGER "evaluations_run_and_epoch" BEFORE INSERT OR UPDATE OF "checkpoint_id" ON "evaluations"
  FOR EACH ROW WHEN (NEW."checkpoint_id" IS NOT NULL) EXECUTE FUNCTION "copy_run_and_epoch"();--> statement-breakpoint
CREATE INDEX "evaluations_counted" ON "evaluations" USING btree ("run_id","protocol","epoch" DESC NULLS LAST,"finished_at" DESC NULLS LAST,"id" DESC NULLS LAST,"dataset") WHERE "evaluations"."same_as" is null and "evaluations"."status" = 'succeeded';--> statement-breakpoint
DROP INDEX "evaluations_recorded";
