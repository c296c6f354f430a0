# How deliver.ps1, and scripts of actions, put content at $dest, if what is there differs.
$answer.changed = $false

function Fill([string]$source, [string]$temporary) {
    if ($origin -eq 'text') { [IO.File]::WriteAllBytes($temporary, [Convert]::FromBase64String($content)) }
    if ($origin -eq 'host') { [IO.File]::Copy($source, $temporary) }
}

# A file that is marked read-only is replaced all the same, and the mark is kept.
function Replace([string]$temporary, [string]$target) {
    if ($backup) {
        $answer.backup_file = $target + '.' + $PID + '.' + [DateTime]::Now.ToString('yyyyMMdd-HHmmss') + '.bak'
        [IO.File]::Copy($target, $answer.backup_file)
    }
    $attributes = [IO.File]::GetAttributes($target)
    if ($attributes -band [IO.FileAttributes]::ReadOnly) { [IO.File]::SetAttributes($target, [IO.FileAttributes]::Normal) }
    # A plain $null would reach this method as an empty name.
    [IO.File]::Replace($temporary, $target, [NullString]::Value)
    if ($attributes -band [IO.FileAttributes]::ReadOnly) { [IO.File]::SetAttributes($target, $attributes) }
}

# What a diff shows. Content that doesn't come from this host is known elsewhere.
function TellContents([string]$source, [string]$target) {
    SayContent before $target
    if ($origin -eq 'host') { SayContent after $source }
}

function Place([string]$source, [string]$target, [string]$checksum) {
    if ([IO.Directory]::Exists($target)) { throw "$target is a directory; a file can't take its place" }
    $directory = [IO.Path]::GetDirectoryName($target)
    # In a check an earlier task may be there to make it.
    if (-not $check -and -not [IO.Directory]::Exists($directory)) { throw "Destination directory '$directory' does not exist" }
    $exists = [IO.File]::Exists($target)
    if ($exists -and (-not $force -or (Sum SHA1 $target) -eq $checksum)) { return }
    if ($check) {
        TellContents $source $target
        $answer.changed = $true
        $answer.would = $true
        return
    }
    LookForLeftovers $directory
    $temporary = if ($origin -eq 'upload') { $upload } else { Beside $target }
    if ($origin -eq 'check') {
        $answer.upload = $temporary
        return
    }
    TellContents $source $target
    try {
        Fill $source $temporary
        $sum = Sum SHA1 $temporary
        if ($sum -ne $checksum) { throw "The content arrived damaged: its checksum is $sum instead of $checksum" }
        if ($exists) { Replace $temporary $target } else { [IO.File]::Move($temporary, $target) }
    }
    finally { [IO.File]::Delete($temporary) }
    $answer.changed = $true
    $answer.moved = $true
}

# Into the directory that $dest is or names, under $name.
function Settle([string]$dest) {
    if ($dest.EndsWith('\')) { MakeDirectory $dest }
    if (-not [IO.Directory]::Exists($dest)) { return $dest }
    if (-not $name) { throw "$dest is a directory: say what the file in it is to be called" }
    [IO.Path]::Combine($dest, $name)
}

function Placed([string]$dest) {
    $answer.dest = $dest
    if (-not $answer.would -and [IO.File]::Exists($dest)) { $answer.size = ([IO.FileInfo]$dest).Length }
}
