# The module NetSecurity: profiles and rules of the firewall, and the filters of rules.
function Reset-NetSecurity {
    [AppDomain]::CurrentDomain.SetData('NetSecurity', @{
            profiles = @{
                Domain  = @{ Enabled = 'True'; DefaultInboundAction = 'NotConfigured'; DefaultOutboundAction = 'NotConfigured' }
                Private = @{ Enabled = 'True'; DefaultInboundAction = 'NotConfigured'; DefaultOutboundAction = 'NotConfigured' }
                Public  = @{ Enabled = 'False'; DefaultInboundAction = 'Block'; DefaultOutboundAction = 'NotConfigured' }
            }
            rules    = [Collections.ArrayList]@()
        })
    $null = New-NetFirewallRule -DisplayName 'Web' -Name 'web-1' -Group 'Servers' -Protocol TCP -LocalPort 80, 443 -RemoteAddress '10.0.0.0/8' -Profile Domain, Private
}

function Get-State { [AppDomain]::CurrentDomain.GetData('NetSecurity') }

function Get-NetFirewallProfile {
    [CmdletBinding()] param([string[]]$Name, [switch]$All, [string]$PolicyStore)
    foreach ($each in $Name) {
        $found = (Get-State).profiles[$each]
        if (-not $found) { throw "No MSFT_NetFirewallProfile objects found with property 'Name' equal to '$each'." }
        [pscustomobject](@{ Name = $each } + $found)
    }
}

function Set-NetFirewallProfile {
    [CmdletBinding()] param([string[]]$Name, [ValidateSet('False', 'True', 'NotConfigured')]$Enabled, [ValidateSet('NotConfigured', 'Allow', 'Block')]$DefaultInboundAction, [ValidateSet('NotConfigured', 'Allow', 'Block')]$DefaultOutboundAction)
    foreach ($each in $Name) { foreach ($key in 'Enabled', 'DefaultInboundAction', 'DefaultOutboundAction') { if ($PSBoundParameters.ContainsKey($key)) { (Get-State).profiles[$each][$key] = "$($PSBoundParameters[$key])" } } }
}

# As Windows gives back what it was given: masks in place of prefixes, one element or several.
function Kept($property, $value) {
    $texts = @($value | ForEach-Object {
            if ($property -like '*Address' -and "$_" -match '^([0-9.]+)/([0-9]+)$') {
                $bits = ('1' * [int]$Matches[2]).PadRight(32, '0')
                $Matches[1] + '/' + (@(0, 8, 16, 24 | ForEach-Object { [Convert]::ToInt32($bits.Substring($_, 8), 2) }) -join '.')
            }
            elseif ($property -eq 'Protocol') { @{ '6' = 'TCP'; tcp = 'TCP'; '17' = 'UDP'; udp = 'UDP'; icmpv4 = 'ICMPv4' }["$_"] }
            else { "$_" }
        })
    if ($texts.Count -eq 1) { $texts[0] } else { , $texts }
}

function Update-Rule($rule, $given) {
    foreach ($key in 'Description', 'Enabled', 'Direction', 'Action') { if ($given.ContainsKey($key)) { $rule.$key = "$($given[$key])" } }
    if ($given.ContainsKey('Profile')) { $rule.Profile = $given.Profile -join ', ' }
    foreach ($key in 'LocalAddress', 'RemoteAddress', 'Protocol', 'LocalPort', 'RemotePort', 'IcmpType', 'Program', 'Service') { if ($given.ContainsKey($key)) { $rule.Filter[$key] = Kept $key $given[$key] } }
    if (($given.ContainsKey('LocalPort') -or $given.ContainsKey('RemotePort')) -and "$($given.Protocol)" -notin 'tcp', 'udp', '6', '17') { throw 'One or more ports are specified, but the protocol is not TCP or UDP.' }
}

function New-NetFirewallRule {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string]$DisplayName, [string]$Name, [string]$Description, [string]$Group, [ValidateSet('True', 'False')]$Enabled, [ValidateSet('Any', 'Domain', 'Private', 'Public', 'NotApplicable')][string[]]$Profile, [ValidateSet('Inbound', 'Outbound')]$Direction, [ValidateSet('NotConfigured', 'Allow', 'Block')]$Action, [string[]]$LocalAddress, [string[]]$RemoteAddress, [string]$Protocol, [string[]]$LocalPort, [string[]]$RemotePort, [string[]]$IcmpType, [string]$Program, [string]$Service)
    $rule = [pscustomobject]@{
        Name = $(if ($Name) { $Name } else { "{$([guid]::NewGuid())}" }); DisplayName = $DisplayName; Description = ''; Group = $Group; Enabled = 'True'; Profile = 'Any'; Direction = 'Inbound'; Action = 'Allow'
        Filter = @{ LocalAddress = 'Any'; RemoteAddress = 'Any'; Protocol = 'Any'; LocalPort = 'Any'; RemotePort = 'Any'; IcmpType = 'Any'; Program = 'Any'; Service = 'Any' }
    }
    Update-Rule $rule $PSBoundParameters
    $null = (Get-State).rules.Add($rule)
    $rule
}

function Get-NetFirewallRule {
    [CmdletBinding()] param([string[]]$Name, [string[]]$DisplayName, [string[]]$Group, [string[]]$DisplayGroup)
    $by = @($PSBoundParameters.Keys | Where-Object { $_ -in 'Name', 'DisplayName', 'Group', 'DisplayGroup' })[0]
    $field = if ($by -eq 'DisplayGroup') { 'Group' } else { $by }
    $found = @((Get-State).rules | Where-Object { $_.$field -in $PSBoundParameters[$by] })
    if (-not $found) { Write-Error "No MSFT_NetFirewallRule objects found with property '$by' equal to '$($PSBoundParameters[$by])'."; return }
    $found | ForEach-Object { $_.PSObject.Copy() }
}

function Set-NetFirewallRule {
    [CmdletBinding()]
    param([string[]]$Name, [Parameter(ValueFromPipeline)]$InputObject, [string]$NewDisplayName, [string]$Description, [ValidateSet('True', 'False')]$Enabled, [ValidateSet('Any', 'Domain', 'Private', 'Public', 'NotApplicable')][string[]]$Profile, [ValidateSet('Inbound', 'Outbound')]$Direction, [ValidateSet('NotConfigured', 'Allow', 'Block')]$Action, [string[]]$LocalAddress, [string[]]$RemoteAddress, [string]$Protocol, [string[]]$LocalPort, [string[]]$RemotePort, [string[]]$IcmpType, [string]$Program, [string]$Service)
    $id = if ($InputObject) { $InputObject.Name } else { $Name }
    foreach ($rule in (Get-State).rules) {
        if ($rule.Name -notin $id) { continue }
        if ($InputObject) { $rule.Group = $InputObject.Group }
        Update-Rule $rule $PSBoundParameters
    }
}

function Remove-NetFirewallRule {
    [CmdletBinding()] param([string[]]$Name, [Parameter(ValueFromPipeline)]$InputObject)
    process { $rules = (Get-State).rules; foreach ($rule in @($rules)) { if ($rule.Name -eq $InputObject.Name) { $rules.Remove($rule) } } }
}

function Find-Filter($AssociatedNetFirewallRule, $names) {
    $filter = ((Get-State).rules | Where-Object { $_.Name -eq $AssociatedNetFirewallRule.Name }).Filter
    $found = [ordered]@{}
    foreach ($each in $names) { $found[$each] = $filter[$each] }
    [pscustomobject]$found
}
function Get-NetFirewallAddressFilter { [CmdletBinding()] param($AssociatedNetFirewallRule) Find-Filter $AssociatedNetFirewallRule ('LocalAddress', 'RemoteAddress') }
function Get-NetFirewallPortFilter { [CmdletBinding()] param($AssociatedNetFirewallRule) Find-Filter $AssociatedNetFirewallRule ('Protocol', 'LocalPort', 'RemotePort', 'IcmpType') }
function Get-NetFirewallApplicationFilter { [CmdletBinding()] param($AssociatedNetFirewallRule) Find-Filter $AssociatedNetFirewallRule @('Program') }
function Get-NetFirewallServiceFilter { [CmdletBinding()] param($AssociatedNetFirewallRule) Find-Filter $AssociatedNetFirewallRule @('Service') }

if (-not [AppDomain]::CurrentDomain.GetData('NetSecurity')) { Reset-NetSecurity }
