# A name for a new file in the user's directory for temporary ones; with $content (base64) the file is written.
LookForLeftovers ([IO.Path]::GetTempPath())
$answer.upload = [IO.Path]::Combine([IO.Path]::GetTempPath(), $own + [Guid]::NewGuid().ToString('N') + $suffix)
if ($null -ne $content) { [IO.File]::WriteAllBytes($answer.upload, [Convert]::FromBase64String($content)) }
