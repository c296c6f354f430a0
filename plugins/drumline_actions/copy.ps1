# Puts content at $dest, if what is there differs. The content comes from ($origin):
#   text    $content, base64, in this one round trip
#   check   nowhere yet: answers upload=TEMPORARY when it is needed
#   upload  the temporary $upload, filled since the check
#   host    the file or folder $src of this host
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

function Place([string]$source, [string]$target, [string]$checksum) {
    if ([IO.Directory]::Exists($target)) { throw "$target is a folder; a file can't take its place" }
    $folder = [IO.Path]::GetDirectoryName($target)
    if (-not [IO.Directory]::Exists($folder)) { throw "Destination directory '$folder' does not exist" }
    $exists = [IO.File]::Exists($target)
    if ($exists -and (-not $force -or (Sum SHA1 $target) -eq $checksum)) { return }
    $temporary = if ($origin -eq 'upload') { $upload } else { Beside $target }
    if ($origin -eq 'check') {
        $answer.upload = $temporary
        return
    }
    try {
        Fill $source $temporary
        $sum = Sum SHA1 $temporary
        if ($sum -ne $checksum) { throw "The content arrived damaged: its checksum is $sum instead of $checksum" }
        if ($exists) { Replace $temporary $target } else { [IO.File]::Move($temporary, $target) }
    }
    finally { [IO.File]::Delete($temporary) }
    $answer.changed = $true
}

function FromHost([string]$source, [string]$target) {
    $sum = Sum SHA1 $source
    if ($expected -and $sum -ne $expected) { throw "The checksum of $source is $sum instead of $expected" }
    $answer.checksum = $sum
    Place $source $target $sum
}

function Tree([string]$source, [string]$target) {
    MakeFolder $target
    foreach ($item in [IO.Directory]::GetFiles($source)) {
        FromHost $item ([IO.Path]::Combine($target, [IO.Path]::GetFileName($item)))
    }
    foreach ($item in [IO.Directory]::GetDirectories($source)) {
        Tree $item ([IO.Path]::Combine($target, [IO.Path]::GetFileName($item)))
    }
}

$dest = Full $dest
$answer.changed = $false
if ($origin -eq 'host') { $src = Full $src }
if ($origin -eq 'host' -and [IO.Directory]::Exists($src)) {
    $dest = $dest.TrimEnd('\')
    $inside = $src.EndsWith('\')
    $src = $src.TrimEnd('\')
    if (-not $inside) { $dest = $dest + '\' + $name }
    Tree $src $dest
    $answer.dest = $dest
    return
}
if ($origin -eq 'host' -and -not [IO.File]::Exists($src)) { throw "Source $src not found" }
if ($dest.EndsWith('\')) { MakeFolder $dest }
if ([IO.Directory]::Exists($dest)) {
    if (-not $name) { throw "$dest is a folder: say what the file in it is to be called" }
    $dest = [IO.Path]::Combine($dest, $name)
}
$answer.dest = $dest
$answer.checksum = $checksum
if ($origin -eq 'host') { FromHost $src $dest } else { Place '' $dest $checksum }
if ([IO.File]::Exists($dest)) { $answer.size = ([IO.FileInfo]$dest).Length }
