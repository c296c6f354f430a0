# All that win_stat tells of $path.
function Seconds([DateTime]$moment) { ($moment - [DateTime]'1970-01-01').TotalSeconds }

# Of all files below a directory; what links lead to is elsewhere, or leads in circles.
function Size([IO.DirectoryInfo]$directory) {
    $size = 0
    foreach ($file in $directory.EnumerateFiles()) { $size += $file.Length }
    foreach ($inner in $directory.EnumerateDirectories()) {
        if (-not ($inner.Attributes -band [IO.FileAttributes]::ReparsePoint)) { $size += Size $inner }
    }
    $size
}

$path = Full $path
$answer.exists = [IO.File]::Exists($path) -or [IO.Directory]::Exists($path)
$answer.path = $path
if ($answer.exists) {
    $item = Get-Item -LiteralPath $path -Force
    $flags = $item.Attributes
    $answer.isdir = [bool]($flags -band [IO.FileAttributes]::Directory)
    $answer.isreg = -not $answer.isdir
    $answer.attributes = "$flags"
    $answer.isarchive = [bool]($flags -band [IO.FileAttributes]::Archive)
    $answer.ishidden = [bool]($flags -band [IO.FileAttributes]::Hidden)
    $answer.isreadonly = [bool]($flags -band [IO.FileAttributes]::ReadOnly)
    $answer.islnk = [bool]($flags -band [IO.FileAttributes]::ReparsePoint) -and $item.LinkType -eq 'SymbolicLink'
    $answer.isjunction = $item.LinkType -eq 'Junction'
    $answer.isshared = $false
    if ($answer.islnk -or $answer.isjunction) {
        $answer.lnk_target = @($item.Target)[0]
        $answer.lnk_source = [IO.Path]::GetFullPath([IO.Path]::Combine([IO.Path]::GetDirectoryName($path), $answer.lnk_target))
    }
    $answer.filename = $item.Name
    $answer.extension = $item.Extension
    $answer.creationtime = Seconds $item.CreationTimeUtc
    $answer.lastaccesstime = Seconds $item.LastAccessTimeUtc
    $answer.lastwritetime = Seconds $item.LastWriteTimeUtc
    # An owner that may not be read, or that has been deleted, is no reason to fail.
    try { $answer.owner = (Get-Acl -LiteralPath $path).Owner } catch { $answer.owner = '' }
    if ($answer.isreg) {
        $answer.size = $item.Length
        if ($get_checksum) { $answer.checksum = Sum $algorithm $path }
    }
    elseif ($get_size) { $answer.size = Size $item }
}
