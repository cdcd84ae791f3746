#!/usr/bin/env bash
# check-deps.sh: every include is one that regress/lint/rooms and regress/lint/libraries allow.
#
# Quoted includes name room/file.h, from -Isink or -Idecoder; one without a slash is of the same room.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
set -eu

includes()
{
    grep -rHnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' sink decoder
}

includes | awk -v rooms=regress/lint/rooms -v libraries=regress/lint/libraries '
    function table(file, into,    line, at) {
        while ((getline line < file) > 0) {
            if (line ~ /^#/ || line ~ /^[ \t]*$/) continue
            at = index(line, ":")
            into[substr(line, 1, at - 1)] = substr(line, at + 1) " "
        }
    }
    function complain(text) { print place ": " text; bad = 1 }

    # the room of a path: its first directory below sink/ or decoder/, or the name of a file at the top
    function room(path,    part) {
        if (path ~ /^decoder\/envelope\//) return "envelope"
        if (path ~ /^decoder\//) return "decoder"
        sub(/^sink\//, "", path)
        if (path ~ /\//) sub(/\/.*/, "", path); else sub(/\.[ch]$/, "", path)
        return path
    }
    function check_room(from, to,    target) {
        if (to !~ /\// || to == "envelope/buf.h" || to == "envelope/utf8.h") return
        target = to
        sub(/\/.*/, "", target)
        if (from == "decoder") {
            if (target != "envelope" && target !~ /^(access|catalog|commands|common|datatype|executor|fmgr|funcapi|lib|libpq|mb|miscadmin|nodes|optimizer|parser|pgstat|port|replication|rewrite|storage|tcop|utils)$/)
                complain("the plugin may not include " to)
        }
        else if (!(from in allowed)) complain("regress/lint/rooms has no row for " from)
        else if (target != from && index(allowed[from], "*") == 0 && index(allowed[from], " " target " ") == 0)
            complain(from " may not include " target)
    }
    function check_library(path, header,    name, homes, count, i) {
        for (name in home) {
            if (index(header, name) != 1) continue
            count = split(home[name], homes, " ")
            for (i = 1; i <= count; i++) if (index(path, homes[i]) == 1) break
            if (i > count) complain("<" header "> belongs to" home[name])
            if (name == "postgres.h" && path ~ /^decoder\/envelope\//) complain("the envelope library is free of PostgreSQL")
        }
    }
    BEGIN { table(rooms, allowed); table(libraries, home) }
    {
        split($0, field, ":")
        path = field[1]
        place = path ":" field[2]
        header = $0
        sub(/^[^:]*:[^:]*:[ \t]*#[ \t]*include[ \t]*/, "", header)
        quoted = header ~ /^"/
        sub(/^["<]/, "", header)
        sub(/[">].*$/, "", header)
        if (quoted && path !~ /^decoder\/[^\/]*$/) check_room(room(path), header)
        else if (quoted) check_room("decoder", header)
        check_library(path, header)
    }
    END { exit bad }'
