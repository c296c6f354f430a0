# Brings $path into a $state: file, directory, touch, absent; none: whatever it is.
# Links are deleted, never followed; files that are marked read-only are deleted too.
function Remove([string]$path) {
    $attributes = [IO.File]::GetAttributes($path)
    $folder = $attributes -band [IO.FileAttributes]::Directory
    if ($attributes -band [IO.FileAttributes]::ReadOnly) {
        [IO.File]::SetAttributes($path, $attributes -band (-bnot [IO.FileAttributes]::ReadOnly))
    }
    if ($folder -and -not ($attributes -band [IO.FileAttributes]::ReparsePoint)) {
        foreach ($item in [IO.Directory]::GetFileSystemEntries($path)) { Remove $item }
    }
    if ($folder) { [IO.Directory]::Delete($path) } else { [IO.File]::Delete($path) }
}

$path = (Full $path).TrimEnd('\')
if ($path.EndsWith(':')) { $path = $path + '\' }
$answer.path = $path
$answer.changed = $false
$isFile = [IO.File]::Exists($path)
$isFolder = [IO.Directory]::Exists($path)
if ($state -eq 'absent') {
    if ($isFile -or $isFolder) {
        Remove $path
        $answer.changed = $true
    }
}
elseif ($state -eq 'directory') { MakeFolder $path }
elseif ($state -eq 'touch') {
    if ($isFolder) { [IO.Directory]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
    elseif ($isFile) { [IO.File]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) }
    else { [IO.File]::Create($path).Dispose() }
    $answer.changed = $true
}
elseif (-not ($isFile -or $isFolder)) { throw "file ($path) is absent, cannot continue" }
elseif ($state -eq 'file' -and $isFolder) { throw "file ($path) is directory, cannot continue" }
$answer.state = if ($state -eq 'absent') { 'absent' } elseif ([IO.Directory]::Exists($path)) { 'directory' } else { 'file' }
