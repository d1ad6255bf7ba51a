#!/bin/sh
# Copies the documents for users: the README, SECURITY.md and the pages of docs/. Links to files that are not among them become plain text.
#
#   packaging/install-docs.sh FOLDER
set -eu
cd "$(dirname "$0")/.."

folder=$1
mkdir -p "$folder/docs"
for page in README.md SECURITY.md docs/*.md; do
    # A link is [text](target), also when it is wrapped within its text; only the target is looked at.
    awk -v folder="$folder" -v below="$(dirname "$page")" '
        function is_kept(target) {
            sub(/#.*/, "", target)
            if (target == "" || target ~ /^[a-z]+:/) return 1
            if (below == "docs") target = target ~ /^\.\.\// ? substr(target, 4) : "docs/" target
            return target ~ /^(README|SECURITY)\.md$/ || (target ~ /^docs\/[^\/]+\.md$/ && (getline line < target) >= 0)
        }
        { text = text $0 "\n" }
        END {
            while (match(text, /\[[^][]*\]\([^)]*\)/)) {
                link = substr(text, RSTART, RLENGTH)
                middle = index(link, "](")
                label = substr(link, 2, middle - 2)
                target = substr(link, middle + 2, length(link) - middle - 2)
                printf "%s%s", substr(text, 1, RSTART - 1), is_kept(target) ? link : label
                text = substr(text, RSTART + RLENGTH)
            }
            printf "%s", text
        }
    ' "$page" > "$folder/$page"
    chmod 644 "$folder/$page"
done
