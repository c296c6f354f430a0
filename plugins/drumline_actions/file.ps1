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
if ($state -eq 'absent') {
    if ($isFile -or $isDirectory) {
        Remove $path
        $answer.changed = $true
    }
}
elseif ($state -eq 'directory') { MakeDirectory $path }
elseif ($state -eq 'touch') {
    if ($isDirectory) { [IO.Directory]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
    elseif ($isFile) { [IO.File]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
    else { [IO.File]::Create($path).Dispose() }
    $answer.changed = $true
}
elseif (-not ($isFile -or $isDirectory)) { throw "file ($path) is absent, cannot continue" }
elseif ($state -eq 'file' -and $isDirectory) { throw "file ($path) is directory, cannot continue" }
$answer.state = if ($state -eq 'absent') { 'absent' } elseif ([IO.Directory]::Exists($path)) { 'directory' } else { 'file' }
