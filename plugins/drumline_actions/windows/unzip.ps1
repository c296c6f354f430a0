# Unpacks the archive $src into the directory $dest. With $drop_src it is a temporary file, which is removed in any case.
foreach ($each in 'System.IO.Compression', 'System.IO.Compression.FileSystem') { $null = [Reflection.Assembly]::LoadWithPartialName($each) }

# With $changed_only, what is there as the archive has it stays: of its size, and as old, to the two seconds of zip.
function Is-There($entry, [string]$file) {
    if (-not $changed_only) { return $false }
    if ($entry.FullName -match '[/\\]$') { return [IO.Directory]::Exists($file) }
    $there = [IO.FileInfo]$file
    $there.Exists -and $there.Length -eq $entry.Length -and [Math]::Abs(($there.LastWriteTimeUtc - $entry.LastWriteTime.UtcDateTime).TotalSeconds) -le 2
}

# Names in an archive may lead out of the directory; such an archive is refused before anything is written.
function Unpack([string]$archive, [string]$target) {
    $root = [IO.Path]::GetFullPath($target).TrimEnd('\') + '\'
    $zip = [IO.Compression.ZipFile]::OpenRead($archive)
    try {
        foreach ($entry in $zip.Entries) {
            if (-not [IO.Path]::GetFullPath([IO.Path]::Combine($root, $entry.FullName)).StartsWith($root, 'OrdinalIgnoreCase')) { throw "$archive holds '$($entry.FullName)', which leads out of $target" }
        }
        foreach ($entry in $zip.Entries) {
            $file = [IO.Path]::GetFullPath([IO.Path]::Combine($root, $entry.FullName))
            if (Is-There $entry $file) { continue }
            $answer.changed = $true
            if ($check) { return }
            if ($entry.FullName -match '[/\\]$') { $null = [IO.Directory]::CreateDirectory($file); continue }
            $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($file))
            [IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $file, $true)
        }
    }
    finally { $zip.Dispose() }
}

try {
    $src, $dest = (Full $src), (Full $dest)
    $answer.src, $answer.dest, $answer.removed, $answer.changed = $src, $dest, $false, $false
    if ($creates -and (Test-Path -LiteralPath $creates)) { $answer.skipped = $true; $answer.msg = "The file or directory '$creates' already exists."; return }
    if (-not [IO.File]::Exists($src)) { throw "File '$src' does not exist." }
    if ([IO.File]::Exists($dest)) { throw "$dest is a file; an archive is unpacked into a directory" }
    if (-not $changed_only) { $answer.changed = $true }
    Unpack $src $dest
    if ($recurse -and -not $check) {
        foreach ($inner in [IO.Directory]::GetFiles($dest, '*.zip', 'AllDirectories')) {
            Unpack $inner ([IO.Path]::GetDirectoryName($inner))
            if ($delete_archive) { [IO.File]::Delete($inner) }
        }
    }
    if ($delete_archive) {
        Change { [IO.File]::Delete($src) }
        $answer.removed = $true
    }
}
finally { if ($drop_src) { [IO.File]::Delete($src) } }
