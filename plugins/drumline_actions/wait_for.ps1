# Waits, for $timeout seconds at most, until $port of $address or $path is as $state says.
# Whether what the port says has the text in it, until it says no more or $connect_timeout is over.
function Says($stream) {
    $heard = [Text.StringBuilder]::new()
    $buffer = [byte[]]::new(4096)
    $patience = [Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $left = [int]($connect_timeout * 1000 - $patience.ElapsedMilliseconds)
        if ($left -le 0) { return $false }
        $stream.ReadTimeout = $left
        try { $count = $stream.Read($buffer, 0, $buffer.Length) } catch { return $false }
        if ($count -eq 0) { return $false }
        $null = $heard.Append([Text.Encoding]::UTF8.GetString($buffer, 0, $count))
        if ([regex]::IsMatch($heard.ToString(), $search_regex, 'Multiline')) { return $true }
    }
}

function Connects {
    $family = if ($address.Contains(':')) { 'InterNetworkV6' } else { 'InterNetwork' }
    $client = [Net.Sockets.TcpClient]::new([Net.Sockets.AddressFamily]$family)
    try {
        $attempt = $client.BeginConnect($address, $port, $null, $null)
        if (-not $attempt.AsyncWaitHandle.WaitOne([TimeSpan]::FromSeconds($connect_timeout))) { return $false }
        $client.EndConnect($attempt)
        -not $search_regex -or (Says $client.GetStream())
    }
    catch { $false }
    finally { $client.Close() }
}

function Matches {
    try { $reader = [IO.StreamReader]::new((Open $path)) } catch { return $false }
    try { [regex]::IsMatch($reader.ReadToEnd(), $search_regex, 'Multiline') } finally { $reader.Dispose() }
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
    Start-Sleep -Milliseconds ([int]($pause * 1000))
}
$answer.elapsed = [int][Math]::Floor($watch.Elapsed.TotalSeconds)
