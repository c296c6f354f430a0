# Has the adapters $adapters ask the DNS servers $servers; none: those that DHCP names. $suffixes, if given, are the
# suffixes that names are tried with.
$answer.changed = $false

# Which servers were set by hand: what DHCP names can't be told from them by the addresses in use.
function Read-Servers([string]$id, [string]$family) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("SYSTEM\CurrentControlSet\Services\$family\Parameters\Interfaces\$id")
    if ($key) { @("$($key.GetValue('NameServer', ''))" -split '[,\s]+' | Where-Object { $_ }); $key.Dispose() }
}

foreach ($server in $servers) { $parsed = $null; if (-not [Net.IPAddress]::TryParse($server, [ref]$parsed)) { throw "Invalid IP address: $server" } }
$wanted = @{
    Tcpip = @($servers | Where-Object { $_ -notlike '*:*' }); Tcpip6 = @($servers | Where-Object { $_ -like '*:*' })
}
$all = @(Get-NetAdapter)
foreach ($name in $adapters) {
    $found = @($all | Where-Object { $name -eq '*' -or $_.Name -eq $name })
    if (-not $found -and $name -ne '*') { throw "Invalid network adapter name: $name. The host has: $(@($all | ForEach-Object { $_.Name }) -join ', ')" }
    foreach ($adapter in $found) {
        $now = @('Tcpip', 'Tcpip6' | ForEach-Object { Read-Servers "$($adapter.InterfaceGuid)" $_ })
        $next = @($wanted.Tcpip + $wanted.Tcpip6)
        if (($now -join ',') -eq ($next -join ',')) { continue }
        Differs $adapter.Name ([string[]]$now) ([string[]]$next)
        Change {
            # What is left of the other family would stay.
            if ($now) { Set-DnsClientServerAddress -InterfaceAlias $adapter.Name -ResetServerAddresses }
            foreach ($family in 'Tcpip', 'Tcpip6') { if ($wanted[$family]) { Set-DnsClientServerAddress -InterfaceAlias $adapter.Name -ServerAddresses $wanted[$family] } }
        }
    }
}
if ($null -ne $suffixes) {
    $now = @((Get-DnsClientGlobalSetting).SuffixSearchList | Where-Object { $_ })
    if (($now -join ',') -ne ($suffixes -join ',')) {
        Differs 'suffix_search_list' ([string[]]$now) ([string[]]$suffixes)
        Change { Set-DnsClientGlobalSetting -SuffixSearchList $(if ($suffixes) { $suffixes } else { @('') }) }
    }
}
