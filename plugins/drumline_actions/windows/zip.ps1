# Packs $src into the archive $dest, unless that is there.
foreach ($each in 'System.IO.Compression', 'System.IO.Compression.FileSystem') { $null = [Reflection.Assembly]::LoadWithPartialName($each) }
$contents = $src.EndsWith('\*')
if ($contents) { $src = $src.Substring(0, $src.Length - 2) }
$src, $dest = (Full $src), (Full $dest)
$answer.src, $answer.dest, $answer.changed = $src, $dest, $false
if ([IO.File]::Exists($dest)) { $answer.msg = "The archive '$dest' already exists."; return }
if ([IO.Directory]::Exists($src)) {
    Change { [IO.Compression.ZipFile]::CreateFromDirectory($src, $dest, 'Optimal', -not $contents) }
}
elseif ([IO.File]::Exists($src)) {
    Change {
        $zip = [IO.Compression.ZipFile]::Open($dest, 'Create')
        try { $null = [IO.Compression.ZipFileExtensions]::CreateEntryFromFile($zip, $src, [IO.Path]::GetFileName($src)) }
        finally { $zip.Dispose() }
    }
}
else { throw "The source file or directory '$src' does not exist." }
