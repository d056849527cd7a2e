ALTER TABLE "evaluations" ADD COLUMN "webhooks" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "evaluations_checkpoint_url" ON "evaluations" USING hash ("checkpoint_url");