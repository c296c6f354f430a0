# Asks $url with the $method, and tells what it answers.
$answer.changed = $false
if ($creates -and (Test-Path -Path $creates)) { $answer.skipped = $true; $answer.msg = "The 'creates' file or directory ($creates) already exists."; return }
if ($removes -and -not (Test-Path -Path $removes)) { $answer.skipped = $true; $answer.msg = "The 'removes' file or directory ($removes) does not exist."; return }
if ($check -and $method -notin 'GET', 'HEAD', 'OPTIONS') { $answer.changed = $true; $answer.skipped = $true; return }
$request = New-Request $url $method
if ($content_type) { $request.ContentType = $content_type }
if ($null -ne $body) {
    $bytes = [Text.Encoding]::UTF8.GetBytes($body)
    $request.ContentLength = $bytes.Length
    $stream = $request.GetRequestStream()
    try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }
}
$response = Get-Answer $request
try {
    # What tells of the task isn't the server's to say.
    foreach ($each in $response.Headers.AllKeys) {
        $name = $each.ToLowerInvariant().Replace('-', '_')
        if ($name -notin 'ansible_facts', 'changed', 'content', 'failed', 'msg', 'skipped') { $answer[$name] = $response.Headers[$each] }
    }
    $answer.status_code = [int]$response.StatusCode
    $answer.status_description = "$($response.StatusDescription)"
    $answer.response_uri = "$($response.ResponseUri)"
    $answer.content_type = "$($response.ContentType)"
    $answer.content_length = $response.ContentLength
    $answer.method = $method
    $stream = $response.GetResponseStream()
    if ($dest -and -not $check -and $status_code -contains $answer.status_code) {
        $dest = Full $dest
        $temporary = Beside $dest
        try {
            $file = [IO.File]::Create($temporary)
            try { $stream.CopyTo($file) } finally { $file.Dispose() }
            $answer.changed = -not [IO.File]::Exists($dest) -or (Sum SHA1 $dest) -ne (Sum SHA1 $temporary)
            if ($answer.changed) { [IO.File]::Delete($dest); [IO.File]::Move($temporary, $dest) }
        }
        finally { [IO.File]::Delete($temporary) }
        if ($return_content) { $answer.content = [IO.File]::ReadAllText($dest) }
    }
    else {
        $text = [IO.StreamReader]::new($stream).ReadToEnd()
        if ($return_content) { $answer.content = $text }
    }
}
finally { $response.Dispose() }
if ($status_code -notcontains $answer.status_code) { $answer.wrong = "Status code of request '$($answer.status_code)' is not in list of valid status codes $($status_code -join ', ') : $($answer.status_description)'." }
