# Makes the directory $path with those above it, or a new one for an empty $path.
if ($links.Count -gt 0) { throw 'links are made on POSIX hosts only' }
if (-not $path) { $path = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'drumline-case-' + [Guid]::NewGuid().ToString('N')) }
[void][IO.Directory]::CreateDirectory($path)
$answer.path = $path
