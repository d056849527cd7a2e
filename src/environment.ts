/** The environment variables that are read, one line each, for `--help`. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  COLLAPSAR_HOME: "embedded database, local store, caches (default .collapsar)",
  COLLAPSAR_CACHE_BYTES:
    "what downloaded objects and features may take in $COLLAPSAR_HOME/cache (default 10737418240, 10 GiB; 0: nothing)",
  DATABASE_URL: "PostgreSQL to use instead of the embedded database",
  COLLAPSAR_STORE: "where training pushes checkpoints: s3://bucket/prefix or a folder (default $COLLAPSAR_HOME/store)",
  COLLAPSAR_DATA: "folder of dataset files (default $COLLAPSAR_HOME/data)",
  COLLAPSAR_FILE_ROOT: "the service reads file:// only below this folder and its home (default: working folder)",
  COLLAPSAR_ALLOW:
    "what the service may read, comma-separated: file:, s3://bucket, https://*.host, … (default anything)",
  COLLAPSAR_WEBHOOK_SECRET: "what webhooks are signed with: whsec_ and base64 of 24 to 64 bytes; of two, both sign",
  COLLAPSAR_WEBHOOK_ALLOW:
    "where webhooks may lead, comma-separated: https:, https://*.host, http://host:port, … (default public https)",
  COLLAPSAR_SWEEP: "where the service looks for new checkpoints, comma-separated: s3://bucket/prefix or folders",
  COLLAPSAR_SWEEP_SECONDS: "how often it does (default 60)",
  COLLAPSAR_FOUND: 'what is asked of checkpoints it finds or hears of: JSON such as {"ood": ["svhn"]}',
  COLLAPSAR_RATE_LIMIT: "requests a minute of one token, or of one address without (default 60000; 0: any number)",
  COLLAPSAR_TOKEN: "bearer token that commands show to a running service (collapsar token create)",
  HOST: "address the service binds to (default 127.0.0.1); any but loopback needs a token",
  PORT: "port the service listens on (default 8080)",
  AWS_ENDPOINT_URL_S3:
    "endpoint of an S3-compatible store; AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, … as for the AWS SDK",
  OTEL_EXPORTER_OTLP_ENDPOINT:
    "collector (OTLP over HTTP) that traces are sent to (default none); OTEL_SERVICE_NAME, … as for OpenTelemetry",
};
