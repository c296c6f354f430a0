# Says whether $path can be fetched, its full name and its checksum.
$path = Full $path
if ([IO.Directory]::Exists($path)) { throw "$path is a directory; fetch takes files only" }
if ([IO.File]::Exists($path)) {
    $answer.checksum = Sum SHA1 $path
    $answer.real = $path
}
else { $answer.missing = $true }
