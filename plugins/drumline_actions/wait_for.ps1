# Waits, for $timeout seconds at most, until $port of $address or $path is as $state says.
# Seconds that are left, at least the hundredth part of one.
function Left { [Math]::Max(0.01, $timeout - $watch.Elapsed.TotalSeconds) }

# An expression may take for ever on a text that it nearly fits.
function Fits([string]$text) {
    try { [regex]::new($search_regex, 'Multiline', [TimeSpan]::FromSeconds((Left))).IsMatch($text) }
    catch [Text.RegularExpressions.RegexMatchTimeoutException] { $false }
}

# Whether what the port says has the text in it, until it says no more or the time is up; of much only the end is kept.
function Says($stream) {
    $heard = [Text.StringBuilder]::new()
    $buffer = [byte[]]::new(4096)
    while ($watch.Elapsed.TotalSeconds -lt $timeout) {
        $stream.ReadTimeout = [int]((Left) * 1000)
        try { $count = $stream.Read($buffer, 0, $buffer.Length) } catch { return $false }
        if ($count -eq 0) { return $false }
        $null = $heard.Append([Text.Encoding]::UTF8.GetString($buffer, 0, $count))
        if ($heard.Length -gt 1MB) { $null = $heard.Remove(0, 512KB) }
        if (Fits $heard.ToString()) { return $true }
    }
    $false
}

function Connects {
    $family = if ($address.Contains(':')) { 'InterNetworkV6' } else { 'InterNetwork' }
    $client = [Net.Sockets.TcpClient]::new([Net.Sockets.AddressFamily]$family)
    try {
        $attempt = $client.BeginConnect($address, $port, $null, $null)
        if (-not $attempt.AsyncWaitHandle.WaitOne([TimeSpan]::FromSeconds([Math]::Min($connect_timeout, (Left))))) { return $false }
        $client.EndConnect($attempt)
        -not $search_regex -or (Says $client.GetStream())
    }
    catch { $false }
    finally { $client.Close() }
}

function Matches {
    try { $reader = [IO.StreamReader]::new((Open $path)) } catch { return $false }
    try { Fits $reader.ReadToEnd() } finally { $reader.Dispose() }
}

function There {
    if (-not $path) { return Connects }
    if ($search_regex) { return Matches }
    [IO.File]::Exists($path) -or [IO.Directory]::Exists($path)
}

if ($path) { $path = Full $path }
$wanted = $state -eq 'started' -or $state -eq 'present'
$watch = [Diagnostics.Stopwatch]::StartNew()
while ((There) -ne $wanted) {
    if ($watch.Elapsed.TotalSeconds -ge $timeout) {
        $answer.late = $true
        break
    }
    Start-Sleep -Milliseconds ([int]([Math]::Min($pause, (Left)) * 1000))
}
$answer.elapsed = [int][Math]::Floor($watch.Elapsed.TotalSeconds)
