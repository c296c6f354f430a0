# Brings the rules called $name, or those of the $group, into $state. $wanted has what they are to be, by names of
# their properties; what is $null stays as it is, and is as Windows has it in a new one.

# Which filter of a rule has which properties, and the cmdlet that reads it.
$filters = @{
    Address = 'LocalAddress', 'RemoteAddress'; Port = 'Protocol', 'LocalPort', 'RemotePort', 'IcmpType'
    Application = @('Program'); Service = @('Service')
}

function Read-Filter([string]$kind, $rule) {
    switch ($kind) {
        'Address' { Get-NetFirewallAddressFilter -AssociatedNetFirewallRule $rule }
        'Port' { Get-NetFirewallPortFilter -AssociatedNetFirewallRule $rule }
        'Application' { Get-NetFirewallApplicationFilter -AssociatedNetFirewallRule $rule }
        'Service' { Get-NetFirewallServiceFilter -AssociatedNetFirewallRule $rule }
    }
}

# The properties of a rule in the words in which the task gives them.
function Read-Rule($rule) {
    $found = @{
        Action = "$($rule.Action)"; Description = "$($rule.Description)"; Direction = "$($rule.Direction)"; Group = "$($rule.Group)"
        Enabled = "$($rule.Enabled)"; Profile = @("$($rule.Profile)" -split ',\s*')
    }
    foreach ($kind in $filters.Keys) {
        if (-not @($filters[$kind] | Where-Object { $null -ne $wanted[$_] })) { continue }
        $filter = Read-Filter $kind $rule
        foreach ($property in $filters[$kind]) { $found[$property] = $filter.$property }
    }
    $found
}

$numbers = @{ tcp = '6'; udp = '17'; icmpv4 = '1'; icmpv6 = '58' }

# One element of a property, however it may be written: 10.0.0.0/255.0.0.0 for 10.0.0.0/8, 6 for TCP.
function Plain([string]$property, $value) {
    $text = "$value".Trim().ToLowerInvariant()
    if ($property -eq 'Protocol' -and $numbers[$text]) { return $numbers[$text] }
    if ($property -notlike '*Address') { return $text }
    if ($text -match '^([0-9.]+)-([0-9.]+)$' -and $Matches[1] -eq $Matches[2]) { $text = $Matches[1] }
    if ($text -match '^([0-9.]+)/([0-9]+\.[0-9.]+)$') {
        $bits = -join ([Net.IPAddress]::Parse($Matches[2]).GetAddressBytes() | ForEach-Object { [Convert]::ToString($_, 2).PadLeft(8, '0') })
        $text = "$($Matches[1])/$($bits.TrimEnd('0').Length)"
    }
    $text -replace '^([0-9.]+)/32$', '$1' -replace '^([0-9a-f:]+)/128$', '$1'
}

function Text-Of([string]$property, $value) { @($value | ForEach-Object { Plain $property $_ } | Sort-Object -Unique) -join ',' }

function Same([string]$property, $one, $other) {
    if ($property -eq 'Description') { "$one" -ceq "$other" } else { (Text-Of $property $one) -eq (Text-Of $property $other) }
}

function Make {
    $given = @{ DisplayName = $name }
    foreach ($property in $wanted.Keys) { if ($null -ne $wanted[$property]) { $given[$property] = $wanted[$property] } }
    if (-not $given.Action) { $given.Action = 'Allow' }
    Change { $null = New-NetFirewallRule @given }
    $answer.msg = "Firewall rule '$name' created."
}

function Adapt($rule) {
    $now, $given = (Read-Rule $rule), @{}
    foreach ($property in $wanted.Keys) {
        if ($null -eq $wanted[$property] -or (Same $property $now[$property] $wanted[$property])) { continue }
        Differs "$($rule.DisplayName) $property" (@($now[$property]) -join ',') (@($wanted[$property]) -join ',')
        $given[$property] = $wanted[$property]
    }
    if (-not $given.Count) { return }
    # Ports mean nothing without their protocol, and Set-NetFirewallRule can't change the group.
    if (($given.ContainsKey('LocalPort') -or $given.ContainsKey('RemotePort') -or $given.ContainsKey('IcmpType')) -and $wanted.Protocol) { $given.Protocol = $wanted.Protocol }
    $into = $given.Group
    $given.Remove('Group')
    Change {
        if ($null -ne $into) { $rule.Group = $into; $null = Set-NetFirewallRule -InputObject $rule }
        if ($given.Count) { Set-NetFirewallRule -Name $rule.Name @given }
    }
    $answer.msg = "Firewall rule '$($rule.DisplayName)' changed."
}

$answer.changed = $false
$rules = @(if ($name) { Get-NetFirewallRule -DisplayName $name -ErrorAction SilentlyContinue } else { Get-NetFirewallRule -Group $wanted.Group -ErrorAction SilentlyContinue })
if (-not $name -and -not $rules) { $rules = @(Get-NetFirewallRule -DisplayGroup $wanted.Group -ErrorAction SilentlyContinue); if ($rules) { $wanted.Group = $null } }
if ($state -eq 'absent') {
    if ($rules) { Change { $rules | Remove-NetFirewallRule }; $answer.msg = "Firewall rule '$name$(if (-not $name) { $wanted.Group })' removed." }
    return
}
if (-not $rules) {
    if (-not $name) { throw "No firewall rule belongs to the group '$($wanted.Group)'" }
    Make
}
foreach ($rule in $rules) { Adapt $rule }
