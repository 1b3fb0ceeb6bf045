#!/usr/bin/env bash
# Dumps the database and the media folder into one dated folder, which appears whole or not at all.
#
#   backup.sh once            one dump now
#   backup.sh every HOURS     one dump now and another every HOURS, for as long as it runs
#   backup.sh fresh HOURS     succeeds when the newest dump is younger than HOURS (+ one hour of grace)
#   backup.sh list            the dumps there are, oldest first
#
# Environment: PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE (as for every Postgres tool), BACKUP_DIR, MEDIA_DIR (may be
# missing), BACKUP_KEEP (how many dumps to keep, default 14).
# The keys that open sealed secrets (VAULT_KEY, SECRET_KEY) are NOT in a dump: keep them elsewhere, apart from it.
set -euo pipefail
umask 077

: "${BACKUP_DIR:?name the folder for the dumps in BACKUP_DIR}"
: "${BACKUP_KEEP:=14}"

dumps() {
    find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '????????T??????Z' | sort
}

once() {
    local stamp partial
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    partial="$BACKUP_DIR/.partial-$stamp"
    mkdir -p "$partial"
    # shellcheck disable=SC2064  # the folder of this very run is meant
    trap "rm -rf '$partial'" EXIT
    pg_dump --format=custom --compress=6 --no-owner --no-privileges --file="$partial/database.dump"
    if [ -n "${MEDIA_DIR:-}" ] && [ -d "$MEDIA_DIR" ]; then
        tar --create --gzip --file="$partial/media.tar.gz" --directory="$MEDIA_DIR" .
    fi
    (cd "$partial" && sha256sum -- * >SHA256SUMS)
    sync
    mv "$partial" "$BACKUP_DIR/$stamp"
    trap - EXIT
    rotate
    echo "$BACKUP_DIR/$stamp"
}

rotate() {
    local old
    dumps | head -n "-$BACKUP_KEEP" | while read -r old; do
        rm -rf "$old"
    done
}

every() {
    while true; do
        # One failed dump must not end the series: the health check tells when the newest is too old.
        once || echo "backup failed; the next try is in $1 h" >&2
        sleep "$(($1 * 3600))" &
        wait $!
    done
}

fresh() {
    local limit newest
    limit=$((($1 + 1) * 60))
    newest=$(dumps | tail -n 1)
    [ -n "$newest" ] && [ -n "$(find "$newest" -maxdepth 0 -mmin "-$limit")" ]
}

case "${1:-}" in
    once) once ;;
    every) trap 'exit 0' TERM INT; every "${2:?every how many hours?}" ;;
    fresh) fresh "${2:?younger than how many hours?}" ;;
    list) dumps ;;
    *)
        sed -n '2,13p' "$0" | sed 's/^# \{0,1\}//'
        exit 2
        ;;
esac
