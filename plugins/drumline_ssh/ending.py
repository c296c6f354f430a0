"""Ends a command with all its children, by a script that runs beside it on the host."""

from __future__ import annotations

#: The command is what hangs below the shell, and orphans of it: processes in the shell's group that were started
#: after the command was, and whose parents aren't in that group. (A service that an earlier command left is older.)
#: Victims are remembered with their start time, since those with a group of their own are orphans too once we begin;
#: and whoever is in the group of a victim is one, since a victim may start another while we look.
#: SIGTERM first, so that a package manager can put down what it holds; SIGKILL after a second.
_SCRIPT = r"""
shell=@SHELL@ its_group= victims= first_start= first_pid=
processes() {
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      read -r line <"$file" || continue
      pid=${line%% *}
      set -- ${line##*) }
      [ "$1" = Z ] || [ "$1" = X ] || echo "$pid $2 $3 ${20}"
    done 2>/dev/null
  else
    ps -A -o pid= -o ppid= -o pgid= -o stat= | while read -r pid parent group state; do
      case $state in Z*) ;; *) echo "$pid $parent $group 0" ;; esac
    done
  fi
}
is_younger() {
  [ -n "$first_start" ] && [ "$2" != 0 ] || return 1
  [ "$2" -gt "$first_start" ] || { [ "$2" -eq "$first_start" ] && [ "$1" -ge "$first_pid" ]; }
}
look() {
  all=$(processes) group=" "
  [ -n "$its_group" ] || its_group=$(while read -r pid parent its start; do
    [ "$pid" != "$shell" ] || echo "$its"
  done <<END
$all
END
)
  while read -r pid parent its start; do
    [ "$its" != "$its_group" ] || group="$group$pid "
    if [ "$parent" = "$shell" ] && [ -z "$first_start" ]; then first_start=$start first_pid=$pid; fi
  done <<END
$all
END
  living=" "
  more=1
  while [ -n "$more" ]; do
    more=
    while read -r pid parent its start; do
      case "$living" in *" $pid "*) continue ;; esac
      case " $victims" in *" $pid:$start "* | *" $its:"*) new=1 ;; *) new= ;; esac
      [ "$parent" != "$shell" ] || new=1
      case "$living" in *" $parent "*) new=1 ;; esac
      if [ -z "$new" ] && [ "$its" = "$its_group" ] && [ "$pid" != "$shell" ] && is_younger "$pid" "$start"; then
        case "$group" in *" $parent "*) ;; *) new=1 ;; esac
      fi
      [ -z "$new" ] || { living="$living$pid " victims="$victims$pid:$start " more=1; }
    done <<END
$all
END
  done
  [ "$living" != " " ]
}
end() { kill -s "$1" $living; } 2>/dev/null
look || exit 0
end TERM
for i in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.1 || { sleep 1; break; }
  look || exit 0
done 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  end KILL
  sleep 0.05 || sleep 1
  look || exit 0
done 2>/dev/null
exit 1
"""


def ending_script(shell_pid: int) -> str:
    """The script for the command of a shell, to be run as the user of that shell. It fails if anybody survived."""
    return _SCRIPT.replace("@SHELL@", str(shell_pid))
