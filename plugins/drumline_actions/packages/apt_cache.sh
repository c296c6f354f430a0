# What scripts for apt share: its lists of packages, which are brought up to date where they are too old.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 LANG=C.UTF-8

# Sets $lists, the directory with the lists, and $stamp, the file whose time is that of the last update.
find_lists() {
    eval "$(apt-config shell lists Dir::State::lists/d)"
    stamp=${lists%/}
    if [ "$stamp" = /var/lib/apt/lists ] && [ -e /var/lib/apt/periodic/update-success-stamp ]; then
        stamp=/var/lib/apt/periodic/update-success-stamp
    fi
}

updated_at() { stat -c %Y -- "$stamp" 2>/dev/null || echo 0; }

# What there is of lists; a number for all of it.
sum_lists() { find "$lists" -type f ! -name lock -exec stat -c '%n %s %Y' {} + 2>/dev/null | sort | cksum; }

# update_lists: tries it again a few times, as a mirror may be busy.
update_lists() {
    tries=0
    until problem=$(apt-get -q -y $lock update 2>&1) && ! printf '%s\n' "$problem" | grep -qE '^(E:|W: Failed to fetch)'; do
        tries=$((tries + 1))
        if [ "$tries" -ge "${retries:-1}" ]; then
            problem=$(printf '%s\n' "$problem" | grep -E '^[EW]:' || printf '%s\n' "$problem")
            return 1
        fi
        pause=$((1 << tries))
        [ "$pause" -le "${most_pause:-12}" ] || pause=${most_pause:-12}
        sleep "$pause"
    done
    # Nothing new leaves the time as it was; what counts is when it was asked.
    touch -- "$lists" "$stamp" 2>/dev/null || :
}
