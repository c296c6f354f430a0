# Waits, for $timeout seconds at most, until no connection to $port of $address is left, but for peers in $exclude.
function Addresses([string[]]$names) {
    foreach ($name in $names) {
        foreach ($found in [Net.Dns]::GetHostAddresses($name)) {
            $found
            if ($found.AddressFamily -eq 'InterNetwork') { $found.MapToIPv6() }
        }
    }
}

function Connected {
    foreach ($one in [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpConnections()) {
        if ($one.LocalEndPoint.Port -ne $port -or $states -notcontains "$($one.State)") { continue }
        if ($others -contains $one.RemoteEndPoint.Address) { continue }
        if ($everywhere -or $own -contains $one.LocalEndPoint.Address) { return $true }
    }
    $false
}

$own = @(if (-not $everywhere) { Addresses @($address) })
$others = @(Addresses $exclude)
$watch = [Diagnostics.Stopwatch]::StartNew()
while (Connected) {
    $left = $timeout - $watch.Elapsed.TotalSeconds
    if ($left -le 0) {
        $answer.late = $true
        break
    }
    Start-Sleep -Milliseconds ([int]([Math]::Min($pause, $left) * 1000))
}
$answer.elapsed = [int][Math]::Floor($watch.Elapsed.TotalSeconds)
