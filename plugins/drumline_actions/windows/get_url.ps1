# Downloads $url to $dest, unless what is there is it already.
function Fetch([string]$address, [string]$target) {
    $response = Get-Answer (New-Request $address 'GET')
    try {
        $answer.status_code = if ($response -is [Net.HttpWebResponse]) { [int]$response.StatusCode } else { 200 }
        $answer.msg = "$($response.StatusDescription)".Trim()
        if ($answer.status_code -ge 300) { throw "Error downloading '$address' to '$target': the server answered with $($answer.status_code) $($answer.msg)" }
        $stream = $response.GetResponseStream()
        $file = [IO.File]::Create($target)
        try { $stream.CopyTo($file) } finally { $file.Dispose(); $stream.Dispose() }
    }
    finally { $response.Dispose() }
}

function Text-At([string]$address) {
    $response = Get-Answer (New-Request $address 'GET')
    try { [IO.StreamReader]::new($response.GetResponseStream()).ReadToEnd() } finally { $response.Dispose() }
}

function Wanted-Sum([string]$name) {
    if ($checksum) { return $checksum.ToLowerInvariant() }
    if (-not $checksum_url) { return $null }
    foreach ($line in (Text-At $checksum_url) -split "`n") {
        $sum, $of = $line.Trim() -split '\s+', 2
        if ("$of".TrimStart('*', '.', '/', '\') -eq $name -or ($sum -and -not $of)) { return $sum.ToLowerInvariant() }
    }
    throw "The checksum file $checksum_url has no line for $name"
}

$dest = Full $dest
$name = [Uri]::UnescapeDataString(([Uri]$url).Segments[-1])
if ([IO.Directory]::Exists($dest) -or $dest.EndsWith('\')) {
    $dest = [IO.Path]::Combine($dest, $name)
}
$directory = [IO.Path]::GetDirectoryName($dest)
if (-not [IO.Directory]::Exists($directory)) { throw "The path '$directory' does not exist for destination '$dest', or is not visible to the current user. Ensure download destination folder exists (perhaps using win_file state=directory) before win_get_url runs." }
$answer.dest = $dest
$answer.changed = $false
$wanted = Wanted-Sum $name
$there = [IO.File]::Exists($dest)
if ($there -and $wanted) { $needed = (Sum $algorithm $dest) -ne $wanted }
elseif ($there -and -not $force) { $needed = $false }
elseif ($there) {
    $response = Get-Answer (New-Request $url 'HEAD')
    try { $needed = $response -isnot [Net.HttpWebResponse] -or $response.LastModified -gt [IO.File]::GetLastWriteTime($dest) -or [int]$response.StatusCode -ge 300 }
    finally { $response.Dispose() }
}
else { $needed = $true }
if ($needed) {
    Change {
        $temporary = Beside $dest
        try {
            Fetch $url $temporary
            $sum = Sum $algorithm $temporary
            if ($wanted -and $sum -ne $wanted) { throw "The checksum for $temporary did not match '$wanted', it was '$sum'" }
            if ($there) { [IO.File]::Delete($dest) }
            [IO.File]::Move($temporary, $dest)
        }
        finally { [IO.File]::Delete($temporary) }
    }
}
if ([IO.File]::Exists($dest)) {
    $answer.size = ([IO.FileInfo]$dest).Length
    $answer.checksum_dest = Sum $algorithm $dest
    $answer.checksum_src = $answer.checksum_dest
}
