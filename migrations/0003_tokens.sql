CREATE TYPE "public"."token_scope" AS ENUM('read', 'submit', 'admin');--> statement-breakpoint
CREATE TABLE "tokens" (
	"name" text PRIMARY KEY NOT NULL,
	"scope" "token_scope" NOT NULL,
	"sha256" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tokens_sha256_unique" UNIQUE("sha256")
);
