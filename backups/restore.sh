#!/usr/bin/env bash
# Restores one dump into an EMPTY database and media folder, and refuses anything else: nothing is ever overwritten.
#
#   restore.sh DUMP_FOLDER
#
# Environment: PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE, MEDIA_DIR. The dump's checksums are verified before anything
# is touched, and the database is restored in one transaction: all of it or nothing.
set -euo pipefail

dump=${1:?name the folder of the dump (backup.sh list shows them)}
[ -f "$dump/database.dump" ] || { echo "restore: $dump holds no database.dump" >&2; exit 2; }

(cd "$dump" && sha256sum --check --quiet SHA256SUMS) || { echo "restore: the dump is damaged; take another" >&2; exit 3; }

tables=$(psql --no-psqlrc --tuples-only --no-align --command \
    "select count(*) from information_schema.tables where table_schema = 'public'")
if [ "$tables" != 0 ]; then
    echo "restore: database ${PGDATABASE:-} is not empty ($tables tables); create an empty one and name it in PGDATABASE" >&2
    exit 4
fi
if [ -f "$dump/media.tar.gz" ] && [ -n "$(ls -A "${MEDIA_DIR:?name the media folder in MEDIA_DIR}" 2>/dev/null)" ]; then
    echo "restore: $MEDIA_DIR is not empty; name an empty folder in MEDIA_DIR" >&2
    exit 4
fi

pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname="${PGDATABASE:?}" "$dump/database.dump"
if [ -f "$dump/media.tar.gz" ]; then
    mkdir -p "$MEDIA_DIR"
    tar --extract --gzip --file="$dump/media.tar.gz" --directory="$MEDIA_DIR" --no-same-owner
fi
echo "restored $dump"
