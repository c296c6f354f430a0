# Keeps the kernel's setting $name in $file, and with $set in the kernel.
command -v sysctl >/dev/null 2>&1 || fail "Failed to find required executable \"sysctl\" in paths: $PATH"
# With one space between words: as values are compared.
plain() { printf '%s' "$1" | tr '\t' ' ' | sed 's/  */ /g; s/^ //; s/ $//'; }
wanted=$(plain "$value")
ignoring=
[ -z "$ignoreerrors" ] || ignoring=-e

# What the file says; the last line counts.
said=$(awk -v name="$name" '
    /^[ \t]*[#;]/ { next }
    { at = index($0, "="); if (!at) next
      key = substr($0, 1, at - 1); gsub(/[ \t]/, "", key)
      if (key == name) { found = 1; text = substr($0, at + 1) } }
    END { if (found) print "=" text }' "$file" 2>/dev/null)

# The file with one line for the name, in the place of the first, or with none.
edited_file() {
    { [ ! -e "$file" ] || cat -- "$file"; } | name=$name value=$wanted state=$state awk '
        BEGIN { name = ENVIRON["name"]; value = ENVIRON["value"]; state = ENVIRON["state"] }
        function is_ours() {
            if ($0 ~ /^[ \t]*[#;]/ || !index($0, "=")) return 0
            key = substr($0, 1, index($0, "=") - 1); gsub(/[ \t]/, "", key)
            return key == name
        }
        { if (!is_ours()) print
          else if (state == "present" && !done) { print name "=" value; done = 1 } }
        END { if (state == "present" && !done) print name "=" value }'
}
rewrite() { rewrite_by "$file" 0644 edited_file; }

if [ "$state" = present ]; then
    [ -n "$said" ] && [ "$(plain "${said#=}")" = "$wanted" ] || { change rewrite; edited=1; }
elif [ -n "$said" ]; then
    change rewrite
    edited=1
fi
if [ -n "$set" ] && [ "$state" = present ]; then
    now=$(sysctl $ignoring -n "$name" 2>&1) || [ -n "$ignoreerrors" ] || fail "setting $name failed: $now"
    if [ "$(plain "$now")" != "$wanted" ]; then
        changed=1
        if [ -z "$check" ]; then
            problem=$(sysctl $ignoring -w "$name=$wanted" 2>&1) || [ -n "$ignoreerrors" ] || fail "setting $name failed: $problem"
        fi
    fi
fi
if [ -n "$edited" ] && [ -n "$reload" ] && [ -z "$check" ]; then
    problem=$(sysctl $ignoring -p "$file" 2>&1) || [ -n "$ignoreerrors" ] || fail "Failed to reload sysctl: $problem"
fi
say changed "$changed"
