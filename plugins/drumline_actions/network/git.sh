# Brings the repository $repo, in $version, into $dest.
export GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8 LANGUAGE=C
git=${executable:-git}
command -v "$git" >/dev/null 2>&1 || fail "Failed to find required executable \"$git\" in paths: $PATH"
[ -z "$umask" ] || umask "$umask"
ssh="ssh -o BatchMode=yes"
[ -z "$key_file" ] || ssh="$ssh -o IdentitiesOnly=yes -i '$key_file'"
[ -z "$host_keys" ] || ssh="$ssh -o StrictHostKeyChecking=$host_keys"
[ "$host_keys" != no ] || ssh="$ssh -o UserKnownHostsFile=/dev/null"
[ -z "$key_file$host_keys$ssh_opts" ] || export GIT_SSH_COMMAND="$ssh $ssh_opts"

inside() { "$git" -C "$dest" "$@"; }
must() { problem=$(inside "$@" 2>&1) || fail "Failed: git $*: $problem"; }

# The commit that a name means there: HEAD, a branch, a tag, or a commit itself. Leaves it in $wanted, its kind in $kind.
find_wanted() {
    listed=$("$git" ls-remote "$repo" 2>&1) || fail "Failed to list what $repo has: $listed"
    ref() { printf '%s\n' "$listed" | awk -v name="$1" '$2 == name { print $1; exit }'; }
    kind=head wanted=
    if [ "$version" = HEAD ]; then wanted=$(ref HEAD)
    else
        wanted=$(ref "refs/heads/$version")
        if [ -z "$wanted" ]; then
            kind=tag
            wanted=$(ref "refs/tags/$version^{}")
            [ -n "$wanted" ] || wanted=$(ref "refs/tags/$version")
        fi
        if [ -z "$wanted" ]; then
            kind=commit
            case $version in
                refs/*) wanted=$(ref "$version") ;;
                *) wanted=$version ;;
            esac
        fi
    fi
}

is_there() { [ -e "$dest/.git" ] || { [ -n "$bare" ] && [ -e "$dest/HEAD" ]; }; }
now() { inside rev-parse HEAD 2>/dev/null; }

clone_it() {
    set -- --origin "$remote"
    [ -z "$bare" ] || set -- "$@" --bare
    [ -z "$reference" ] || set -- "$@" --reference "$reference"
    [ -z "$single_branch" ] || set -- "$@" --single-branch
    [ -z "$separate_git_dir" ] || set -- "$@" "--separate-git-dir=$separate_git_dir"
    if [ -n "$depth" ] && [ "$kind" != commit ]; then
        set -- "$@" --depth "$depth"
        [ "$version" = HEAD ] || set -- "$@" --branch "$version"
    elif [ "$kind" != commit ] && [ "$version" != HEAD ]; then set -- "$@" --branch "$version"
    fi
    above=${dest%/}
    case $above in */?*) [ -d "${above%/*}" ] || try mkdir -p -- "${above%/*}" ;; esac
    problem=$("$git" clone "$@" -- "$repo" "$dest" 2>&1) || fail "Failed to clone $repo: $problem"
}

fetch_it() {
    set -- --force
    [ -n "$depth" ] || set -- "$@" --tags
    if [ -n "$depth" ]; then set -- "$@" --depth "$depth"; fi
    if [ -n "$bare" ]; then must fetch "$@" "$remote" '+refs/heads/*:refs/heads/*'
    else must fetch "$@" "$remote" $refspec
    fi
    if [ "$kind" = commit ] && ! inside cat-file -e "$wanted^{commit}" 2>/dev/null; then
        problem=$(inside fetch "$remote" "$wanted" 2>&1) || fail "Failed to download what $version is: $problem"
    fi
    if [ "$kind" = tag ] && [ -n "$depth" ]; then must fetch --depth "$depth" "$remote" "refs/tags/$version:refs/tags/$version"; fi
}

switch_to() {
    case $kind:$version in
        head:HEAD)
            branch=$(inside symbolic-ref --quiet --short "refs/remotes/$remote/HEAD" 2>/dev/null)
            branch=${branch#"$remote"/}
            [ -n "$branch" ] || branch=$(inside rev-parse --abbrev-ref HEAD)
            if inside show-ref --verify --quiet "refs/remotes/$remote/$branch"; then must checkout --force -B "$branch" "$remote/$branch"
            else must checkout --force "$wanted"
            fi ;;
        head:*)
            if inside show-ref --verify --quiet "refs/remotes/$remote/$version"; then must checkout --force -B "$version" "$remote/$version" --
            else must checkout --force -B "$version" "$wanted" --
            fi ;;
        *) must checkout --force "$wanted" -- ;;
    esac
    must reset --hard "$wanted" --
}

submodules() {
    [ -n "$recursive" ] && [ -z "$bare" ] && [ -f "$dest/.gitmodules" ] || return 0
    status_before=$(inside submodule status --recursive 2>/dev/null)
    must submodule sync --recursive
    set -- update --init --recursive
    [ -z "$track_submodules" ] || set -- "$@" --remote
    must submodule "$@"
    [ "$status_before" = "$(inside submodule status --recursive 2>/dev/null)" ] || changed=1
}

verify() {
    [ -n "$verify_commit" ] || return 0
    if [ "$kind" = tag ]; then what=verify-tag name=$version; else what=verify-commit name=$wanted; fi
    said=$(inside "$what" --raw "$name" 2>&1) || fail "Failed to verify GPG signature of commit/tag \"$version\": $said"
    [ -n "$gpg_allowlist" ] || return 0
    finger=$(printf '%s\n' "$said" | awk '$2 == "VALIDSIG" { print $NF; exit }')
    for one in $gpg_allowlist; do
        case $finger in *"$one") return 0 ;; esac
    done
    fail "The gpg_allowlist does not include the public key \"$finger\" for this commit"
}

make_archive() {
    [ -n "$archive" ] || return 0
    format=${archive##*.}
    case $archive in *.tar.gz) format=tar.gz ;; esac
    new=$(mktemp) || fail "no temporary file can be made"
    set -- "--format=$format"
    [ -z "$archive_prefix" ] || set -- "$@" "--prefix=$archive_prefix"
    problem=$(inside archive "$@" -o "$new" "$wanted" 2>&1) || { rm -f "$new"; fail "Failed to make an archive: $problem"; }
    if cmp -s -- "$new" "$archive"; then rm -f "$new"
    else
        chmod "$(printf %o $((0666 & ~0$(umask))))" "$new"
        change mv -f -- "$new" "$archive"
        rm -f "$new"
    fi
}

answer() {
    say before "$before"
    say after "$1"
    say changed "$changed"
    exit 0
}

before=
if ! is_there; then
    if [ -d "$dest" ] && [ -n "$(ls -A "$dest")" ] && [ -z "$force" ]; then
        fail "$dest has files, and none of them is a repository: a clone needs an empty directory"
    fi
    find_wanted
    changed=1
    if [ -n "$check" ] || [ -z "$clone" ]; then answer "$wanted"; fi
    clone_it
    if [ -z "$bare" ]; then
        if [ "$kind" = commit ] && ! inside cat-file -e "$wanted^{commit}" 2>/dev/null; then must fetch "$remote" "$wanted"; fi
        [ "$(now)" = "$wanted" ] && [ "$kind" != commit ] || switch_to
    fi
    submodules
    verify
    make_archive
    changed=1
    answer "$(now)"
fi
before=$(now)
if [ -z "$bare" ] && [ -n "$(inside status --porcelain --untracked-files=no --ignore-submodules 2>/dev/null)" ]; then
    [ -n "$force" ] || fail "Local modifications exist in the destination: $dest (force=no)."
    say msg 'Local modifications exist.'
    change inside reset --hard HEAD
fi
had=$(inside config --get "remote.$remote.url" 2>/dev/null)
if [ "$had" != "$repo" ] && [ -n "$update" ]; then
    say_json remote_url_changed true
    if [ -n "$had" ]; then change inside remote set-url "$remote" "$repo"; else change inside remote add "$remote" "$repo"; fi
fi
if [ -z "$update" ]; then answer "$before"; fi
find_wanted
case $kind in commit) full=$(inside rev-parse --verify --quiet "$wanted^{commit}") && wanted=$full ;; esac
if [ "$before" != "$wanted" ] || { [ -z "$bare" ] && [ "$kind" = head ] && [ "$version" != HEAD ] && [ "$(inside rev-parse --abbrev-ref HEAD)" != "$version" ]; }; then
    [ "$before" = "$wanted" ] || changed=1
    if [ -z "$check" ]; then
        fetch_it
        [ -n "$bare" ] || switch_to
    fi
fi
if [ -z "$check" ]; then
    submodules
    verify
    make_archive
    answer "$(now)"
fi
answer "$wanted"
