# The module DnsClient, and Get-NetAdapter of NetAdapter: what is set by hand stands in the registry, as in Windows.
function Reset-DnsClient {
    [AppDomain]::CurrentDomain.SetData('DnsClient', @{ suffixes = @('old.example'); adapters = [ordered]@{ Ethernet = '{00000000-0000-4000-8000-000000000001}'; 'Ethernet 2' = '{00000000-0000-4000-8000-000000000002}' } })
    foreach ($adapter in 'Ethernet', 'Ethernet 2') { Set-DnsClientServerAddress -InterfaceAlias $adapter -ResetServerAddresses }
    Set-DnsClientServerAddress -InterfaceAlias 'Ethernet 2' -ServerAddresses '10.0.0.1', '10.0.0.2'
}

function Get-Dns { [AppDomain]::CurrentDomain.GetData('DnsClient') }
function Get-NetAdapter { [CmdletBinding()] param([string[]]$Name) foreach ($each in (Get-Dns).adapters.Keys) { [pscustomobject]@{ Name = $each; InterfaceGuid = (Get-Dns).adapters[$each] } } }

function Set-DnsClientServerAddress {
    [CmdletBinding()] param([string[]]$InterfaceAlias, [string[]]$ServerAddresses, [switch]$ResetServerAddresses)
    foreach ($family in 'Tcpip', 'Tcpip6') {
        $of = if ($family -eq 'Tcpip6') { @($ServerAddresses -like '*:*') } else { @($ServerAddresses -notlike '*:*') }
        $place = "HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\$family\Parameters\Interfaces\$((Get-Dns).adapters["$InterfaceAlias"])"
        if ($ResetServerAddresses) { [Microsoft.Win32.Registry]::SetValue($place, 'NameServer', '') }
        elseif ($of) { [Microsoft.Win32.Registry]::SetValue($place, 'NameServer', $of -join ',') }
    }
}

function Get-DnsClientGlobalSetting { [CmdletBinding()] param() [pscustomobject]@{ UseSuffixSearchList = $true; SuffixSearchList = (Get-Dns).suffixes } }
function Set-DnsClientGlobalSetting { [CmdletBinding()] param([string[]]$SuffixSearchList) (Get-Dns).suffixes = @($SuffixSearchList | Where-Object { $_ }) }

if (-not [AppDomain]::CurrentDomain.GetData('DnsClient')) { Reset-DnsClient }
