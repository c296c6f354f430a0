# Brings $path into a $state: file, directory, touch, absent; none: whatever it is.
# Links are deleted, never followed; files that are marked read-only are deleted too.
function Remove([string]$path) {
    $attributes = [IO.File]::GetAttributes($path)
    $directory = $attributes -band [IO.FileAttributes]::Directory
    if ($attributes -band [IO.FileAttributes]::ReadOnly) {
        [IO.File]::SetAttributes($path, $attributes -band (-bnot [IO.FileAttributes]::ReadOnly))
    }
    if ($directory -and -not ($attributes -band [IO.FileAttributes]::ReparsePoint)) {
        foreach ($item in [IO.Directory]::GetFileSystemEntries($path)) { Remove $item }
    }
    if ($directory) { [IO.Directory]::Delete($path) } else { [IO.File]::Delete($path) }
}

$path = (Full $path).TrimEnd('\')
if ($path.EndsWith(':')) { $path = $path + '\' }
$answer.path = $path
$answer.changed = $false
$isFile = [IO.File]::Exists($path)
$isDirectory = [IO.Directory]::Exists($path)
$was = if ($isDirectory) { 'directory' } elseif ($isFile) { 'file' } else { 'absent' }
if ($state -eq 'absent') {
    if ($was -ne 'absent') {
        Differs state $was absent
        Change { Remove $path }
    }
}
elseif ($state -eq 'directory') {
    if ($was -eq 'absent') { Differs state absent directory }
    MakeDirectory $path
}
elseif ($state -eq 'touch') {
    Differs state $was touch
    Change {
        if ($isDirectory) { [IO.Directory]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
        elseif ($isFile) { [IO.File]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
        else { [IO.File]::Create($path).Dispose() }
    }
}
elseif ($was -eq 'absent') { throw "file ($path) is absent, cannot continue" }
elseif ($state -eq 'file' -and $isDirectory) { throw "file ($path) is directory, cannot continue" }
if ([IO.Directory]::Exists($path)) { $answer.state = 'directory' }
elseif ([IO.File]::Exists($path)) { $answer.state = 'file' }
elseif (-not $check -or $state -eq 'absent') { $answer.state = 'absent' }
