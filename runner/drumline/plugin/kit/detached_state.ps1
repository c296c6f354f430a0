# What became of the job $jid in the background; with $erase what it left is removed. Of each output $limit letters are told.
$jobs = if ($env:ANSIBLE_ASYNC_DIR) { $env:ANSIBLE_ASYNC_DIR } else { Join-Path $env:USERPROFILE '.ansible_async' }
$j = [IO.Path]::Combine([IO.Path]::GetFullPath($jobs), $jid)
$answer.results_file = $j
if (-not [IO.Directory]::Exists($j)) { $answer.missing = 1 }
elseif ($erase) { if (-not $check) { [IO.Directory]::Delete($j, $true) } }
elseif ([IO.File]::Exists("$j\code")) {
    $answer.code = [IO.File]::ReadAllText("$j\code")
    if ([IO.File]::Exists("$j\late")) { $answer.late = 1 }
    $answer.known = [IO.File]::ReadAllText("$j\known")
    $answer.cut = 0
    foreach ($name in 'out', 'err') {
        $said = [IO.File]::ReadAllText("$j\$name")
        if ($said.Length -gt $limit) { $answer.cut += $said.Length - $limit; $said = $said.Substring(0, $limit) }
        $answer[$name] = $said
    }
}
