#!/usr/bin/env bash
# The backup commands of manage.py, where the desk runs: in Docker when its compose project is there, else right here.
#
#   manage.sh backup [--list|--check]                            one backup now, proven
#   manage.sh verify_backup NAME|latest --identity -   <KEYFILE  restored into an empty database, compared, dropped
#   manage.sh restore NAME|latest --identity - [--replace] <KEYFILE
#   manage.sh backup_key                                         a new pair of keys
#
# NAME is that of a backup in BACKUP_DIR, or an absolute path. The identity comes in through standard input, so that it
# never lies on the server.
set -euo pipefail
cd "$(dirname "$0")/.."

in_docker() {
    command -v docker >/dev/null && [ -n "$(docker compose ps --all --quiet postgres 2>/dev/null)" ]
}

if in_docker; then
    exec docker compose run --rm --no-TTY restore "$@"
fi
cd backend
exec .venv/bin/python manage.py "$@"
