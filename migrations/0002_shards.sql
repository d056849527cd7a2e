CREATE TABLE "evaluation_shards" (
	"evaluation_id" text NOT NULL,
	"index" integer NOT NULL,
	"shares" jsonb NOT NULL,
	"images" bigint NOT NULL,
	"images_done" bigint DEFAULT 0 NOT NULL,
	"done_at" timestamp (3) with time zone,
	CONSTRAINT "evaluation_shards_evaluation_id_index_pk" PRIMARY KEY("evaluation_id","index")
);
--> statement-breakpoint
CREATE TABLE "sharded_evaluations" (
	"evaluation_id" text PRIMARY KEY NOT NULL,
	"description" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "evaluation_shards" ADD CONSTRAINT "evaluation_shards_of" FOREIGN KEY ("evaluation_id") REFERENCES "public"."sharded_evaluations"("evaluation_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sharded_evaluations" ADD CONSTRAINT "sharded_evaluations_evaluation_id_evaluations_id_fk" FOREIGN KEY ("evaluation_id") REFERENCES "public"."evaluations"("id") ON DELETE cascade ON UPDATE no action;