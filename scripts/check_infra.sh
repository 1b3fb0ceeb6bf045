#!/usr/bin/env bash
# Checks what deployment is made of: Dockerfiles, compose file, proxy, backup scripts. Needs no Docker.
# A tool that is not there is named with its cure; in CI (CI=true) that is a failure.
# shellcheck disable=SC2329  # the functions are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
bin=$PWD/backend/.venv/bin
failed=0

check() { # NAME TOOL COMMAND…
    local name=$1 tool=$2
    shift 2
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "not checked: $name ($tool is missing: run 'make setup'; nginx comes with the system's packages)"
        [ "${CI:-}" = true ] && [ "$tool" != nginx ] && failed=1
        return
    fi
    if "$@"; then echo "ok: $name"; else echo "FAILED: $name"; failed=1; fi
}

# The names of the compose network resolve only there, and older proxies spell HTTP/2 as a word of `listen`.
proxy_syntax() {
    local folder
    folder=$(mktemp -d)
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
        -keyout "$folder/privkey.pem" -out "$folder/fullchain.pem" 2>/dev/null
    sed -e 's/server web:8000/server 127.0.0.1:8000/' -e '/http2 on;/d' -e 's/listen 8443 ssl/listen 8443 ssl http2/' \
        -e "s#/etc/nginx/tls#$folder#; s#/etc/nginx/proxy.conf#$PWD/nginx/proxy.conf#" nginx/nginx.conf >"$folder/nginx.conf"
    nginx -t -q -c "$folder/nginx.conf"
    local result=$?
    rm -rf "$folder"
    return "$result"
}

proxy_habits() {
    local folder result
    folder=$(mktemp -d)
    sed "s#/etc/nginx/proxy.conf#$PWD/nginx/proxy.conf#" nginx/nginx.conf >"$folder/nginx.conf"
    "$bin/gixy" "$folder/nginx.conf" >"$folder/report" 2>&1
    result=$?
    [ "$result" -ne 0 ] && cat "$folder/report"
    rm -rf "$folder"
    return "$result"
}

check "Dockerfiles" "$bin/hadolint" "$bin/hadolint" --failure-threshold warning backend/Dockerfile nginx/Dockerfile
check "compose file" frontend/node_modules/.bin/dclint env PATH="$bin:$PATH" frontend/node_modules/.bin/dclint --max-warnings 0 docker-compose.yml
check "YAML" "$bin/yamllint" "$bin/yamllint" --strict docker-compose.yml .dclintrc.yaml .yamllint.yaml
check "proxy habits" "$bin/gixy" proxy_habits
check "proxy syntax" nginx proxy_syntax
check "shell scripts" "$bin/shellcheck" "$bin/shellcheck" backups/*.sh scripts/*.sh .ci/run
exit $failed
