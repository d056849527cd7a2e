/** Each writes its features to the store, and one job reads them all: more would not end sooner. */
export const MAX_SHARDS = 64;
