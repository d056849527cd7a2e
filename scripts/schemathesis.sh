#!/usr/bin/env bash
# Asks a running service whatever /openapi.json lets one think of (schemathesis, from PyPI), on loopback alone: nothing may
# be answered with 5xx or otherwise than the document says. First without a token where none exists, then with one, then
# without where one does. Takes about SECONDS_EACH three times.
#   scripts/schemathesis.sh [SECONDS_EACH]     VENV: where schemathesis is installed, or is already
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-40}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT

venv=$(realpath -m "${VENV:-$work/venv}")
if [ ! -x "$venv/bin/schemathesis" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet "schemathesis>=4,<5"
fi

unset DATABASE_URL COLLAPSAR_TOKEN
export COLLAPSAR_HOME="$work/home" COLLAPSAR_FILE_ROOT="$work" COLLAPSAR_ALLOW=file: HOST=127.0.0.1
node=node_modules/.bin/node
"$node" bin/collapsar.js serve --port 0 --no-worker 2>"$work/log" &
server=$!
for _ in $(seq 100); do
  url=$(sed -n 's/.*"url":"\(http[^"]*\)".*/\1/p' "$work/log" | head -n 1)
  [ -z "$url" ] || break
  sleep 0.2
done
[ -n "$url" ] || { cat "$work/log"; exit 1; }

checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance
probe() {
  # a service closes at its first token, and what follows would be refused: so none is made where none exists
  # in its folder, for it keeps what it found where it is started
  (cd "$work" && "$venv/bin/schemathesis" run "$url/openapi.json" --checks "$checks" --max-time "$seconds" \
    --request-timeout 15 --continue-on-failure --warnings off --seed 1 "$@")
}

echo "== no token exists"
probe --exclude-path-regex '^/tokens'
export COLLAPSAR_TOKEN
COLLAPSAR_TOKEN=$("$node" bin/collapsar.js token create schemathesis --scope admin)
echo "== with a token"
probe --header "Authorization: Bearer $COLLAPSAR_TOKEN"
echo "== without the token"
probe
if grep '"level":\(50\|60\)' "$work/log" | grep '"code":"internal"'; then exit 1; fi
